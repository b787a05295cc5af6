"""Data sets that tensorflow-datasets lacks, as builders of its own kind."""
