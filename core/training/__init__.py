"""Training and scoring: the only room that runs Keras."""
