"""What only the page Labels shows."""
