"""Networks whose features or classes images are measured by."""
