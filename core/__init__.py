"""Everything of SketchScope that is not a screen: data, training, evaluation."""

import os

# TensorFlow leaves oneDNN off on CPUs without AVX-512, where it doubles the speed
# of a convolution or better. It must be set before TensorFlow is first imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
