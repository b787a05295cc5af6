"""How training moves the players of a game."""
