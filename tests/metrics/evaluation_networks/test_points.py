"""The network that reads points from images."""

import numpy as np
import pytest

from keras_gen.metrics import train_point_reader


@pytest.mark.thorough
def test_it_finds_a_bright_pixel(rng):
    def pictures(count):
        places = rng.integers(1, 15, (count, 2))
        images = np.zeros((count, 16, 16, 1), np.uint8)
        for image, (x, y) in zip(images, places, strict=True):
            image[y - 1 : y + 2, x - 1 : x + 2] = 255
        return images, places[:, None] / 16

    images, points = pictures(500)
    network = train_point_reader(images, points, steps=200)
    test_images, test_points = pictures(50)
    found = network.predict(test_images, verbose=0)
    assert found.shape == (50, 1, 2)
    error = np.linalg.norm(found - test_points, axis=-1).mean()
    middle = np.linalg.norm(test_points - points.mean(axis=0), axis=-1).mean()
    assert error < 0.25 * middle
