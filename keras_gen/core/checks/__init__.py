"""Checks of the data and the arguments of `fit`, and of tensors inside a step."""
