"""What generators of Normal latents share: samples, truncation, interpolation, arithmetic."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.autoencoders.coder import decoded_path
from keras_gen.core import sample
from keras_gen.core.capabilities import sampling_noise
from keras_gen.core.kinds_of_data import Number, Vectors

WIDEST = 10.0  # standard deviations: no truncation, for float32 draws stay below 6


def truncated_normal(latents, threshold) -> tf.Tensor:
    """Maps draws of a Normal distribution to draws of the one truncated on both sides, float32.

    Brock, Donahue, Simonyan: "Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    ICLR 2019, sec. 3.1, redraw numbers beyond the threshold. Here each number is replaced by the
    same quantile of the truncated distribution, so that a lower threshold changes an example
    gradually.

    Args:
        latents: Draws of a standard Normal, floats of any shape.
        threshold: Largest absolute value, not negative; 0 gives zeros.

    Example:
        >>> truncated_normal(np.random.normal(size=[4, 2]), 0.5).shape
        TensorShape([4, 2])
    """
    latents = tf.cast(latents, tf.float32)
    threshold = tf.cast(threshold, tf.float32)
    root = 2.0**0.5  # erf(z / root) is the probability of [-z, z]
    inside = tf.math.erf(latents / root) * tf.math.erf(threshold / root)
    cut = tf.clip_by_value(root * tf.math.erfinv(inside), -threshold, threshold)
    return tf.where(threshold < 6.0, cut, latents)


class LatentSampler:
    """Mix-in of models whose capability `generate` turns Normal latents into examples.

    It has `sample(n, seed, truncation=0.5)`, `truncate`, `interpolate`, `latent_arithmetic` and
    `nearest_neighbors`. Further arguments of `generate`, such as labels, are given by name.
    """

    default_signature = "sample"
    for_users: tuple[str, ...] = (
        "draw_latents",
        "interpolate",
        "latent_arithmetic",
        "nearest_neighbors",
        "truncate",
    )
    edges: dict
    generate: Any  # a capability
    sample = sample

    def set_latents(self, latent_dim: int) -> None:
        """Sets the number of latents, and adds the edges of latents and of their truncation."""
        self.latent_dim = latent_dim
        self.edges["latents"] = Vectors((latent_dim,))
        self.edges["truncation"] = Number(0.0, WIDEST, "truncation")

    def noise(self, n, key):
        """Draws latents of n examples."""
        return tf.random.stateless_normal([n, self.latent_dim], key)

    # Use -------------------------------------------------------------------------------------

    def draw_latents(self, n: int, seed: int = 0) -> np.ndarray:
        """Draws the latents of `sample(n, seed)`, float32 `[n, latents]`, n at least 1."""
        noise = sampling_noise(self, n, seed)
        return (noise["latents"] if isinstance(noise, dict) else noise).numpy()

    def truncate(self, latents, truncation: float) -> np.ndarray:
        """Returns latents as `sample` truncates them, float32 `[n, latents]`.

        Brock et al. (2019), sec. 3.1: latents nearer to 0 give better examples that vary less.

        Args:
            latents: Draws of a standard Normal, `[n, latents]`.
            truncation: Largest absolute value of a latent, 0 to 10; 10 changes nothing.

        Raises:
            ValueError: If the latents have another shape, or the truncation is out of range.

        Example: `model.generate(model.truncate(model.draw_latents(9, seed=1), 0.5))`.
        """
        latents = self.edges["latents"].prepare(latents)
        truncation = self.edges["truncation"].prepare(truncation)
        return truncated_normal(latents, truncation).numpy()

    def interpolate(self, a, b, steps: int = 8, spherical: bool = False, **given) -> np.ndarray:
        """Generates examples of points between the latents `a` and `b`, `[n, steps, ...]`.

        Args:
            a: Latents `[n, latents]`.
            b: Latents `[n, latents]`.
            steps: Points, at least 2: both ends are among them.
            spherical: On an arc around the origin in place of the line, see `interpolation`.
            **given: Further arguments of `generate`, such as `labels`: one for each pair or for
                all.

        Raises:
            ValueError: If the latents have other shapes, or `steps` is below 2.

        Example: `model.interpolate(*np.split(model.draw_latents(8), 2), labels=3)`.
        """
        start = self.edges["latents"].prepare(a).numpy()
        end = self.edges["latents"].prepare(b).numpy()
        return decoded_path(self.generate, start, end, steps, spherical, **given)

    def latent_arithmetic(
        self, a, b, c, n: int = 1, spread: float = 0.25, seed: int = 0, **given
    ) -> np.ndarray:
        """Generates examples `[n, ...]` of the mean of `a` less that of `b` plus that of `c`.

        Radford, Metz, Chintala: "Unsupervised Representation Learning with Deep Convolutional
        Generative Adversarial Networks", ICLR 2016, sec. 6.3.2: smiling women less neutral women
        plus neutral men give smiling men.

        Args:
            a: Latents `[any number, latents]`.
            b: Likewise.
            c: Likewise.
            n: Number of examples; after the first, uniform noise is added to the latents.
            spread: Largest noise in a latent.
            seed: Seed of the noise.
            **given: Further arguments of `generate`, one for all.

        Raises:
            ValueError: If the latents have other shapes, or `n` is below 1.

        Example: `model.latent_arithmetic(smiling, women, men, n=9)`.
        """
        n = checked_integer("n", n, minimum=1)
        means = [self.edges["latents"].prepare(z).numpy().mean(axis=0) for z in (a, b, c)]
        noise = np.random.default_rng(seed).uniform(-spread, spread, (n, self.latent_dim))
        noise[0] = 0.0
        return self.generate((means[0] - means[1] + means[2] + noise).astype("float32"), **given)

    def nearest_neighbors(self, examples, training, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Finds the nearest training examples of generated ones: memorized examples are near.

        Args:
            examples: Such as `sample` returns, `[n, ...]`.
            training: Training examples of the same shape and kind, `[m, ...]`.
            k: How many, at most m (else a ValueError).

        Returns:
            The neighbors `[n, k, ...]`, the nearest first, and their Euclidean distances in the
            units of the examples, float64 `[n, k]`.

        Example: `neighbors, distances = model.nearest_neighbors(model.sample(8), images, k=3)`.
        """
        from keras_gen.metrics import nearest_neighbors  # metrics know of models

        distances, indices = nearest_neighbors(examples, training, k)
        return np.asarray(training)[indices], distances
