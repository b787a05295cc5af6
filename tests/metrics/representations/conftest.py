import numpy as np
import pytest


@pytest.fixture
def blobs(rng):
    """Draws points around a corner for each class, and their classes."""

    def draw(n, classes=3, spread=0.1, scale=5.0):
        labels = rng.integers(classes, size=n)
        return scale * np.eye(classes)[labels] + spread * rng.normal(size=[n, classes]), labels

    return draw
