"""Functions of examples: crops, noise, masks, counts of words."""
