"""Sweeps: many runs that differ in a few fields, on one machine or many.

What was asked and what became of it lies in `sweeps/<name>/` beside the runs. Only
`core.sweeps.cluster` needs Ray, and `core.sweeps.proposals` Optuna; both load it when a
sweep begins.
"""
