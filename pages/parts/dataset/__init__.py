"""What only the page Dataset shows."""
