"""Sets of generated images beside sets of real ones."""
