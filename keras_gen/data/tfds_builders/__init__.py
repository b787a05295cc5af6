"""Datasets that tensorflow-datasets lacks, as builders in its format."""
