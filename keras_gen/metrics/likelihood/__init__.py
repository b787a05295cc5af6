"""Likelihoods in nats and bits, and the number of latents in use."""
