"""Metrics of how useful codes are: probes, clusters, retrieval, and transfer."""
