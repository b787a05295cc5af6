"""A network that reads the coordinates of points, such as landmarks, from images."""

from __future__ import annotations

import keras
import numpy as np

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.evaluation_networks.image_classifier import fit_logits
from keras_gen.networks import conv_encoder


@checked_types
def train_point_reader(
    images: np.ndarray,
    points: np.ndarray,
    steps: int = 1500,
    batch_size: int = 64,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> keras.Model:
    """Trains a small network to find points in images.

    Args:
        images: uint8 `[n, H, W, channels]`, sides of at least 8 pixels.
        points: Coordinates from 0 to 1, `[n, points, 2]`.
        steps: Training steps.
        batch_size: Images per step.
        learning_rate: Rate at the start; it falls to 0 along a cosine.
        seed: Seed of the weights and the batches.

    Returns:
        A model from images in 0 to 255 to coordinates `[batch, points, 2]`.

    Example: `train_point_reader(faces.images[0], faces.points[0])`.
    """
    seed = checked_seed(seed)
    count, number, _ = points.shape
    keras.utils.set_random_seed(seed)
    shown = keras.Input(images.shape[1:], dtype="float32")
    # It ends with a dense layer of all places, for where things are is what counts.
    network = conv_encoder(images.shape[1:], latent_dim=2 * number, filters=(16, 32, 64))
    [outputs] = network(keras.layers.Rescaling(1 / 127.5, offset=-1)(shown))
    rng = np.random.default_rng(seed)
    flat = points.reshape(count, -1)

    def batches():
        for _ in range(steps):
            chosen = rng.integers(count, size=batch_size)
            yield images[chosen], flat[chosen]

    model = keras.Model(shown, {"logits": outputs})
    fit_logits(model, keras.losses.MeanSquaredError(), batches(), steps, learning_rate)
    coordinates = keras.layers.Reshape((number, 2))(outputs)
    return keras.Model(shown, coordinates, name="point_reader")
