"""A trained network at work without Keras."""
