"""Nats, bits and units in use."""
