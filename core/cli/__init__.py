"""The command line: a file for each noun of `python -m core`."""
