"""Several devices and machines: strategies, and data shared by their replicas."""
