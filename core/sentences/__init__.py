"""What numbers say in words, for the page and the report alike."""
