"""Likelihoods, in nats and bits, and the latents in use."""
