"""What several screens share: charts, menus, cached reads, sketches."""
