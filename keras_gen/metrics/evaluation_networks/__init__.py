"""Networks that provide features or classes for image metrics."""
