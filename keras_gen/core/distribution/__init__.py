"""Training on several devices and machines: strategies, and data shared by replicas."""
