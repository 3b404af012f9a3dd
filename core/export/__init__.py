"""Trained networks as models for other programs."""
