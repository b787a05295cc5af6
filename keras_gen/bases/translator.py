"""What models with networks from images to images share: translation, in Python and served."""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_seed
from keras_gen.bases.edges import Images
from keras_gen.training import GenerativeModel
from keras_gen.training.capabilities import one_at_least
from keras_gen.training.noise import inference_seed

# Generators of any size halve height and width twice, and pad what is left by reflection.
SIZE_MULTIPLE = 4
SMALLEST_SIZE = 8


class Translator(GenerativeModel):
    """Base of models that turn images into images, by networks that `directions` names.

    Each direction is a signature of uint8 images, with a seed if its network draws at inference.
    Networks say themselves which channels they take and give, and whether they take any size.
    """

    for_users: tuple[str, ...] = ("directions", "translate")
    # Pixels of reflection around images while they are translated.
    margin: int = 0

    def directions(self) -> dict:
        """Returns the networks by names such as `photo_to_monet`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it translates.")

    def translate(
        self, images, direction: str | None = None, batch_size: int = 8, seed: int = 0
    ) -> np.ndarray:
        """Returns translations of images, of the same kind.

        Args:
            images: `[n, height, width, channels]`, uint8 or float in [-1, 1].
            direction: A key of `directions()`; the first by default.
            batch_size: Images at once.
            seed: Seed of networks that draw at inference, such as with `Dropout(always=True)`.

        Raises:
            TypeError: If the batch size or the seed is no integer.
            ValueError: If one of these, the direction, the shape or the range is wrong.
        """
        batch_size = checked_integer("batch_size", batch_size, minimum=1)
        seed = checked_seed(seed)
        directions = self.directions()
        direction = direction or next(iter(directions))
        if direction not in directions:
            raise ValueError(f"direction is {direction!r}: expected one of {list(directions)}.")
        network = directions[direction]
        source = Images(network.input_shape[1:])
        shape = np.shape(images)
        if len(shape) != 4 or shape[-1] != source.shape[-1] or not all(shape[1:]):
            raise ValueError(
                f"Images have shape {shape}: expected [n, height, width, {source.shape[-1]}]."
            )
        specs = [source.inner_spec(), tf.TensorSpec([], tf.int32)]
        graph = self.graph(direction, partial(_translated, network, self.margin), specs)
        of_levels = np.asarray(images[:1]).dtype == np.uint8
        results = []
        for start in range(0, max(len(images), 1), batch_size):
            batch = source.prepare(images[start : start + batch_size])
            translated = graph(batch, seed)
            if of_levels:
                translated = Images(network.output_shape[1:]).restore(translated)
            results.append(translated.numpy())
        return np.concatenate(results)

    @override
    def signatures(self) -> dict:
        """Returns one signature for each direction: of uint8 images, and a seed if they draw."""
        networks = self.directions().items()
        own = {name: _signature(network, self.margin) for name, network in networks}
        return super().signatures() | own

    @override
    def signature_defaults(self) -> dict:
        drawing = [name for name, network in self.directions().items() if _draws(network)]
        return super().signature_defaults() | {name: {"seed": 0} for name in drawing}


def any_size(network, images, training, margin=0):
    """Pads images by a margin and to a size that the network takes, applies it, and crops.

    Args:
        network: From images to images of the same size. One of known size gets them as they are.
        images: Floats `[batch, height, width, channels]`.
        training: As of networks.
        margin: Pixels of reflection at each border.
    """
    if None not in network.input_shape[1:3]:
        return network(images, training=training)
    _, height, width, _ = keras.ops.shape(images)
    padded = _padded(images, height, margin, axis=1)
    padded = _padded(padded, width, margin, axis=2)
    results = network(padded, training=training)
    if padded is images:
        return results
    return results[:, margin : margin + height, margin : margin + width]


def _padded(images, size, margin, axis):
    """Images that turn back before the first and after the last pixel, however few there are."""
    fits = isinstance(size, int) and size % SIZE_MULTIPLE == 0 and size >= SMALLEST_SIZE
    if fits and not margin:
        return images
    # Only numbers from 0 on are divided: of others, runtimes do not mean the same remainder.
    length = (size + 2 * margin + SIZE_MULTIPLE - 1) // SIZE_MULTIPLE * SIZE_MULTIPLE
    index = tf.range(tf.maximum(length, SMALLEST_SIZE)) - margin
    index = tf.where(index < 0, -1 - index, index) % (2 * size)
    return tf.gather(images, tf.minimum(index, 2 * size - 1 - index), axis=axis)


def _translated(network, margin, images, seed):
    count = tf.shape(images)[0]
    with inference_seed(seed):
        return any_size(network, one_at_least(images, count), False, margin)[:count]


def _signature(network, margin):
    source = Images(network.input_shape[1:])
    target = Images(network.output_shape[1:])

    def translate(images, seed=0):
        translated = _translated(network, margin, source.prepare(images), seed)
        return {"images": target.restore(translated)}

    seed = tf.TensorSpec([], tf.int32, name="seed")
    return translate, [source.spec(), seed] if _draws(network) else [source.spec()]


def _draws(network) -> bool:
    """Whether a layer of the network draws at inference."""
    return any(getattr(layer, "always", False) for layer in network._flatten_layers())
