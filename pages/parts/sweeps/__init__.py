"""What only the page Sweeps shows."""
