"""Transformations of examples: once, in every epoch, or inside a GAN's training step."""
