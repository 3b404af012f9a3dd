"""What only the page Classes shows."""
