"""Names of this library's own environment variables."""

DEBUG = "KERAS_GEN_DEBUG"
"""If set, the sentence that ends a recipe is preceded by a traceback."""
NO_OFFLINE_SAMPLE = "KERAS_GEN_NO_OFFLINE_SAMPLE"
"""If set, a recipe ends where it would otherwise continue with an offline sample."""
