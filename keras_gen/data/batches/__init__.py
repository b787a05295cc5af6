"""Streams of batches that need more than `Source.stream`: pairs, few labels, triples, weights."""
