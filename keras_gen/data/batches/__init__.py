"""Batches in which labels, pairs or weights have a say."""
