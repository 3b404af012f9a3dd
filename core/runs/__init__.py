"""Runs: the run folder, from its config to its evaluation; making and launching one."""
