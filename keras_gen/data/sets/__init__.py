"""The data sets that recipes load, one module for each kind, and how sets are held together."""
