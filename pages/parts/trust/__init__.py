"""What stands on the page Trust alone."""
