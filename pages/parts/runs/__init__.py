"""What stands on the page Runs alone."""
