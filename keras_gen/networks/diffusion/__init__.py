"""Networks for points on a path and their times."""
