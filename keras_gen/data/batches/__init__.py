"""Streams beyond `Source.stream`: unpaired domains, few labels, triples, and weights."""
