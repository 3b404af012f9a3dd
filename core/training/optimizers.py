"""Keras's Adam and AdamW, in one pass over each weight where TensorFlow has that.

Keras composes an update of eight operations, each of which reads and writes arrays as
large as the weights: a tenth of a step of ResNet-18 at 64 px.
"""

from typing import Any

import keras


class _OnePass:
    """Replaces the update of Adam by TensorFlow's operation for it."""

    def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> Any:
        """Updates a variable and its two moments, as Keras's own method does.

        Args:
            gradient: Shape and dtype of the variable.
            variable: Of the model.
            learning_rate: Scalar.
        """
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            return super().update_step(gradient, variable, learning_rate)  # type: ignore[misc]
        import tensorflow as tf

        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, dtype),
        )
        return None


class Adam(_OnePass, keras.optimizers.Adam):  # type: ignore[misc]
    """Adam (Kingma and Ba 2015) with Keras's defaults."""


class AdamW(_OnePass, keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW (Loshchilov and Hutter 2019) with Keras's defaults."""


def _handle(variable: Any) -> Any:
    """Returns the resource of a variable of Keras's or of TensorFlow's."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
