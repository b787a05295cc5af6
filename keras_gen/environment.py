"""Names of environment variables that are this library's own."""

DEBUG = "KERAS_GEN_DEBUG"
"""Set: the sentence that ends a recipe is preceded by where it came from."""
NO_OFFLINE_SAMPLE = "KERAS_GEN_NO_OFFLINE_SAMPLE"
"""Set: a recipe ends where it would go on with an offline sample in place of its data."""
