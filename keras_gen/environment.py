"""Names of this library's own environment variables."""

DEBUG = "KERAS_GEN_DEBUG"
"""If set, a recipe that fails prints a traceback before its error message."""
NO_OFFLINE_SAMPLE = "KERAS_GEN_NO_OFFLINE_SAMPLE"
"""If set, a recipe stops where it would otherwise continue with an offline sample."""
