"""What evaluations say, as numbers."""
