"""Variational autoencoders with several layers of latents."""
