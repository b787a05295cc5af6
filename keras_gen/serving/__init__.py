"""Writing, loading, and describing SavedModels."""
