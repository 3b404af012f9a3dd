"""What only the page Duel shows."""
