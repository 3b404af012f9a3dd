"""Sketches: any picture or strokes become one of 128×128 gray values."""
