"""What only the page Home shows."""
