"""What only the page Confusion shows."""
