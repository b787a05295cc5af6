"""How far single codes stand for single factors of variation."""
