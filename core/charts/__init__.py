"""Numbers drawn: the charts of the screens and of the report."""
