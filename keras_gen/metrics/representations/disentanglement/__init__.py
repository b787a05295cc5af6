"""How well single codes represent single factors of variation."""
