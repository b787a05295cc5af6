"""Networks that provide the features or classes for measuring images."""
