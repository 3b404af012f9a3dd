"""The parts of the page Draw."""
