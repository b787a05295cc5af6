"""Image-to-image models: what they share besides how they are trained."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.bases.capabilities import Capable, to_arrays
from keras_gen.bases.edges import Images
from keras_gen.training import GenerativeModel
from keras_gen.training.noise import inference_seed


class Translator(Capable, GenerativeModel):
    """Base of models that turn images of one domain into images of another.

    A subclass names its directions and the network of each (`directions`). Networks that draw at
    inference, by layers such as `Dropout(always=True)`, follow a given seed.
    """

    # The networks halve height and width twice, and pad what is left by reflection.
    size_multiple, smallest_size = 4, 8
    batch = ("x", "y")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.edges["x"] = self.edges["y"] = Images((None, None, 3))

    def directions(self) -> dict[str, keras.Model]:
        """Returns the name of each direction and the network that translates so."""
        raise NotImplementedError(f"{type(self).__name__} does not name its directions.")

    def call(self, images, training=False):
        """Translates float images in [-1, 1] in the first direction."""
        return next(iter(self.directions().values()))(images, training=training)

    def translate(
        self, images, direction: str | None = None, batch_size: int = 8, seed: int = 0
    ) -> np.ndarray:
        """Translates images of any size.

        Args:
            images: `[n, height, width, 3]`, uint8 or float in [-1, 1].
            direction: A key of `directions()`; the first by default.
            batch_size: Images at once.
            seed: Of the noise of networks that draw at inference.

        Returns:
            Images of the same shape and kind.

        Raises:
            ValueError: If the direction, the shape or the range is wrong.
        """
        directions = self.directions()
        direction = direction or next(iter(directions))
        if direction not in directions:
            raise ValueError(f"direction is {direction!r}: expected one of {list(directions)}.")
        shape = np.shape(images)
        if len(shape) != 4 or shape[-1] != 3 or not all(shape):
            raise ValueError(f"Images have shape {shape}: expected [n, height, width, 3].")
        translate = self.graph(
            direction,
            lambda images, seed: self._translate(images, directions[direction], seed),
            [self.edges["x"].inner_spec(), tf.TensorSpec([], tf.int32)],
        )
        kept = () if np.asarray(images[:1]).dtype == np.uint8 else ("x",)
        results = []
        for start in range(0, len(images), batch_size):
            batch = self.prepare(images[start : start + batch_size])
            results += to_arrays(self, {"x": translate(batch, seed)}, kept)
        return np.concatenate(results)

    def _translate(self, images, network, seed):
        """Pads to a size the network takes, translates, and crops."""
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        for axis, size in ((1, height), (2, width)):
            images = tf.gather(images, self._mirrored(size), axis=axis)
        with inference_seed(seed):
            return network(images, training=False)[:, :height, :width]

    def _mirrored(self, size):
        """Indices that turn back after the last pixel, however few pixels there are."""
        index = tf.range(tf.maximum(size + -size % self.size_multiple, self.smallest_size))
        index %= 2 * size
        return tf.minimum(index, 2 * size - 1 - index)

    def signatures(self) -> dict:
        """Returns one signature for each direction: uint8 images in, uint8 images out.

        Those of networks that draw at inference take a `seed` too.
        """
        seed = tf.TensorSpec([], tf.int32, name="seed")

        def served(network):
            def translate(images, seed=0):
                return {
                    "images": self.restore(self._translate(self.prepare(images), network, seed))
                }

            return translate, [self.edges["x"].spec(), *([seed] if _draws(network) else [])]

        return {name: served(network) for name, network in self.directions().items()}

    def signature_defaults(self) -> dict[str, dict[str, float]]:
        """Returns the usual seed of the directions that take one."""
        return {name: {"seed": 0} for name, n in self.directions().items() if _draws(n)}


def _draws(network) -> bool:
    return any(getattr(layer, "always", False) for layer in network._flatten_layers())
