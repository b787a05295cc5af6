"""Sounds without a network: codes of speech, and phases for spectrograms."""
