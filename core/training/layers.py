"""The library of layers that networks are built with in Keras: its own, one faster.

On TensorFlow, Keras composes batch norm of a dozen elementwise operations, each of
which reads and writes the whole activation, in float32 whatever the precision.
TensorFlow has one operation for it, and one for its gradient.
"""

from typing import Any

import keras


@keras.saving.register_keras_serializable("sketchscope")
class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Batch norm that uses TensorFlow's fused operation in training.

    Weights and answers are those of Keras's layer, up to rounding. Where there is no
    such operation, it is that layer: on other backends, outside training, on inputs
    without height and width, and with arguments that the operation can't express.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalises a batch.

        Args:
            inputs: Shape `(batch, height, width, channels)`, or any that Keras's
                layer takes; float32, or bfloat16 as mixed precision has it.
            training: Whether to normalise by the batch and to update the moving
                statistics, which stay float32.
            mask: As in Keras's layer.

        Returns:
            Shape and dtype of the inputs.
        """
        if not (training and self.trainable and mask is None and self._fuses(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        # Empty statistics: those that come back are the batch's alone.
        empty = tf.zeros((0,), tf.float32)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=empty,
            variance=empty,
            epsilon=self.epsilon,
            is_training=True,
        )
        # The operation normalises by the variance of the batch, as Keras does, but
        # returns the unbiased estimate, n / (n - 1) of that; Keras averages the former.
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        variance *= tf.maximum(count - 1.0, 1.0) / count
        kept = self.momentum
        self.moving_mean.assign(self.moving_mean * kept + mean * (1.0 - kept))
        self.moving_variance.assign(
            self.moving_variance * kept + variance * (1.0 - kept)
        )
        return outputs

    def _fuses(self, inputs: Any) -> bool:
        """Returns whether TensorFlow's operation does what this layer is to do."""
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and keras.backend.standardize_dtype(inputs.dtype) in ("float32", "bfloat16")
            and self.variable_dtype == "float32"
            and self.scale
            and self.center
            and not self.synchronized
            and not self.renorm
        )


class TrainingLayers:
    """Stands in for `keras.layers` where networks are built to be trained.

    Has all that `keras.layers` has, and `BatchNormalization` of this module.
    """

    BatchNormalization = BatchNormalization

    def __getattr__(self, name: str) -> Any:
        """Returns the layer of that name of Keras's own."""
        return getattr(keras.layers, name)
