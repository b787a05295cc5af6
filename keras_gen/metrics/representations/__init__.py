"""How useful codes are: probes, clusters, retrieval, transfer."""
