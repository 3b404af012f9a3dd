"""What only one screen shows, a folder a screen."""
