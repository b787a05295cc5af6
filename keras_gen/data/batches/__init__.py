"""Batch streams other than `Source.stream`: unpaired domains, few labels, triples, and weights."""
