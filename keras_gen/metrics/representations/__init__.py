"""How useful codes are: probes, clusters, retrieval, and transfer."""
