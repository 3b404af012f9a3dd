"""Datasets: where sketches come from, and the packed form that all of them take."""
