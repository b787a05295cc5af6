"""Checks that refuse data and arguments of `fit`, and tensors inside a step."""
