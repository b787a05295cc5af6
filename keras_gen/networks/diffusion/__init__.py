"""Networks of points of a path and their times."""
