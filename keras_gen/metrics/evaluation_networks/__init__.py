"""Networks in whose features or by whose answers images are measured."""
