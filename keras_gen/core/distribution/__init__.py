"""Several devices and machines: strategies, and what their replicas share."""
