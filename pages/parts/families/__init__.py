"""What only the page Families shows."""
