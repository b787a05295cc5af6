"""Where the players of a game move."""
