"""The datasets that recipes load, one module per type, and the classes that group them."""
