"""What only the page Map shows."""
