"""Times the course report's way of feeding a network; see `core.training.benchmark`.

Run as `python -m core.training.benchmark_report FOLDER NETWORK STEPS ONE_DNN`, in a
process of its own, since oneDNN can't be switched once TensorFlow is loaded. ONE_DNN is
`0` or `default`.
"""

import json
import os
import sys
import time
from pathlib import Path

BATCH_SIZE = 64
WARM_UP_STEPS = 3


def main(folder: Path, network_name: str, steps: int, one_dnn: str) -> None:
    """Prints images a second as JSON.

    Args:
        folder: Class folders of PNG files.
        network_name: A name of `models.NETWORKS`.
        steps: Steps to time.
        one_dnn: `0` for off, `default` for what TensorFlow chooses on this CPU.
    """
    # Importing `core` has turned oneDNN on; TensorFlow is not loaded yet.
    os.environ.pop("TF_ENABLE_ONEDNN_OPTS")
    if one_dnn != "default":
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = one_dnn
    import keras
    import pandas as pd
    import tensorflow as tf

    from core.runs.config import Settings
    from core.training.networks import build_network

    files = sorted(folder.glob("*/*.png"))
    frame = pd.DataFrame(
        {"file": map(str, files), "class": [file.parent.name for file in files]}
    )
    generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    batches = generator.flow_from_dataframe(
        frame,
        x_col="file",
        y_col="class",
        target_size=(128, 128),
        color_mode="grayscale",
        batch_size=BATCH_SIZE,
    )
    network = build_network(network_name, len(batches.class_indices), Settings())
    network.compile(
        optimizer="adam",
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    ends: list[float] = []

    def tick(batch: int, logs: object = None) -> None:  # noqa: ARG001
        ends.append(time.perf_counter())

    network.fit(
        batches,
        verbose=0,
        steps_per_epoch=steps + WARM_UP_STEPS,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=tick)],
    )
    speed = steps * BATCH_SIZE / (ends[-1] - ends[-1 - steps])
    sys.stdout.write(json.dumps({"images_per_s": speed}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
