"""What is refused: data and arguments of `fit`, and tensors inside a step."""
