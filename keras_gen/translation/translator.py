"""The base of image-to-image models: what they share besides how they are trained."""

import numpy as np
import tensorflow as tf

from keras_gen.training import GenerativeModel


class Translator(GenerativeModel):
    """Base of models that turn images of one domain into images of another.

    A subclass names its directions and the network of each (`directions`).
    """

    # The networks halve height and width twice, and pad what is left by reflection.
    size_multiple, smallest_size = 4, 8

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._graphs: dict = {}

    def directions(self) -> dict:
        """Returns the name of each direction and the network that translates so."""
        raise NotImplementedError(f"{type(self).__name__} does not name its directions.")

    def call(self, images, training=False):
        """Translates float images in [-1, 1] in the first direction."""
        return next(iter(self.directions().values()))(images, training=training)

    def translate(self, images, direction: str | None = None, batch_size: int = 8) -> np.ndarray:
        """Translates images of any size.

        Args:
            images: `[n, height, width, 3]`, uint8 or float in [-1, 1].
            direction: A key of `directions()`; the first by default.
            batch_size: Images at once.

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
        results = []
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            result = self._compiled(direction)(self.prepare(batch))
            results.append(self.like(batch, result))
        return np.concatenate(results)

    def _compiled(self, direction):
        """The direction as a graph, traced once and kept."""
        if direction not in self._graphs:
            network = self.directions()[direction]
            self._graphs[direction] = tf.function(
                lambda images: self._translate(images, network),
                input_signature=[tf.TensorSpec([None, None, None, 3])],
            )
        return self._graphs[direction]

    def _translate(self, images, network):
        """Pads to a size the network takes, translates, and crops."""
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        for axis, size in ((1, height), (2, width)):
            images = tf.gather(images, self._mirrored(size), axis=axis)
        return network(images, training=False)[:, :height, :width]

    def _mirrored(self, size):
        """Indices that go on after the last pixel by going back, however few pixels there are."""
        index = tf.range(tf.maximum(size + -size % self.size_multiple, self.smallest_size))
        index %= 2 * size
        return tf.minimum(index, 2 * size - 1 - index)

    def signatures(self) -> dict:
        """Returns one signature for each direction: uint8 images in, uint8 images out."""
        spec = tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")

        def serve(network):
            def translate(images):
                translated = self._translate(self.prepare(images), network)
                return {"images": self.to_uint8(translated)}

            return translate

        return {name: (serve(network), [spec]) for name, network in self.directions().items()}
