"""Streams that need more than `Source.stream`: pairs, few labels, triples, and weights."""
