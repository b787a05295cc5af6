"""Sets of generated images compared with sets of real ones."""
