"""Autoencoders whose codes are entries of a codebook."""
