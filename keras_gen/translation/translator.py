"""The base class of image-to-image models, for translation in Python and in exports."""

from functools import partial
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_choice, checked_list
from keras_gen.checked_arguments import checked_types
from keras_gen.core import GenerativeModel, for_users, require_range, require_takes
from keras_gen.core.batches import in_order
from keras_gen.core.capabilities import as_examples, one_at_least, seed_checked
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.noise import inference_seed
from keras_gen.declared import PositiveInteger
from keras_gen.keras_internals import all_layers

# Generators for any size halve the height and the width twice, so reflection padding makes the
# sides divisible by 4.
SIZE_MULTIPLE = 4


class Translator(GenerativeModel):
    """Base class for image-to-image models; `directions` returns a model's networks by name.

    Each direction is exported as a signature for uint8 images, which also accepts a seed if the
    direction's network is random at inference. The networks determine the number of channels, and
    whether images of any size are accepted.
    """

    # Width of the reflection padding around images during translation, in pixels.
    margin = 0
    # Number by which the sides must be divisible for networks that accept any size; 1 if the
    # networks do not downsample images.
    size_multiple = SIZE_MULTIPLE

    @for_users
    def directions(self) -> dict:
        """Returns the networks by names such as `photo_to_monet`."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define its translations: override directions."
        )

    @for_users
    @checked_types
    def translate(
        self,
        images,
        direction: str | None = None,
        batch_size: PositiveInteger = 8,
        seed: int = 0,
    ) -> np.ndarray:
        """Translates images, and returns the translations in the format of the images.

        Args:
            images: Images `[n, height, width, channels]`, uint8 or floats in [-1, 1].
            direction: Key of `directions()`. If None, the first key is used.
            batch_size: Number of images processed at once.
            seed: Seed for networks that are random at inference, for example because of
                `Dropout(always=True)`.

        Raises:
            TypeError: If the batch size or the seed is not an integer.
            ValueError: If the batch size, the seed, the direction, or the shape or range of the
                images is invalid.
        """
        directions = self.directions()
        if direction is None:
            direction = next(iter(directions))
        network = directions[checked_choice("direction", direction, directions)]
        source = Images(network.input_shape[1:])
        images = as_examples(source, images)
        shape = np.shape(images)
        if len(shape) != 4 or shape[-1] != source.shape[-1] or not all(shape[1:]):
            raise ValueError(
                f"Images have shape {shape}: expected [n, height, width, {source.shape[-1]}]."
            )
        specs = [source.inner_spec(), tf.TensorSpec([], tf.int32)]
        translated = partial(_translated, network, self.margin, self.size_multiple)
        graph = self.graph(direction, translated, specs)
        of_levels = np.asarray(images[:1]).dtype == np.uint8
        results = []
        for start in range(0, max(len(images), 1), batch_size):
            batch = source.prepare(images[start : start + batch_size])
            result = graph(batch, seed)
            if of_levels:
                result = Images(network.output_shape[1:]).restore(result)
            results.append(result.numpy())
        return np.concatenate(results)

    @override
    def predict_step(self, data):
        """Translates a batch in the first direction."""
        network = next(iter(self.directions().values()))
        images = in_order(data)[0]
        inner = Images(network.input_shape[1:]).prepare(images)
        translated = _translated(network, self.margin, self.size_multiple, inner, 0)
        if images.dtype.is_floating:
            return translated
        return Images(network.output_shape[1:]).restore(translated)

    @override
    def signatures(self) -> dict:
        """Returns one signature for uint8 images per direction, with a seed for random networks."""
        own = {}
        for name, network in self.directions().items():
            own[name] = _signature(network, self.margin, self.size_multiple)
        return super().signatures() | own


def checked_domains(name: str, value) -> tuple[str, str]:
    """Returns the names of two domains as a tuple; raises a ValueError unless they differ."""
    names = tuple(checked_list(name, value))
    if len(set(names)) != 2 or not all(isinstance(each, str) for each in names):
        raise ValueError(f"{name} is {value!r}: expected two different names.")
    return names


Domains = Annotated[tuple[str, str], checked_domains]
"""Names of two domains, which are used to name directions and signatures."""


def made_shape(network: keras.Model, shape: tuple) -> tuple:
    """Returns the shape of a functional model's output for an input of the given shape."""
    made = network.compute_output_shape((1, *shape))
    return tuple(made[-1] if isinstance(made, list) else made)[1:]


def require_translation(shape: tuple, made: tuple, *networks) -> None:
    """Raises a ValueError unless networks, applied in sequence, map images to images.

    The last activation must be able to produce all image values.

    Args:
        shape: Shape of the images. A side of None is tested with 64 pixels.
        made: Expected output shape of the last network. None represents the corresponding side of
            `shape`.
        *networks: Functional models that accept images of shape `shape` or of any size.
    """
    taken = tuple(64 if side is None else side for side in shape)
    if None in networks[0].input_shape[1:3]:  # `any_size` pads the input
        taken = (*(-(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE for side in taken[:2]), taken[2])
        made = (None, None, made[2])
    require_takes(networks[0], taken)
    found = taken
    for network in networks:
        found = made_shape(network, found)
    expected = tuple(
        side if new is None else new for side, new in zip(taken, made, strict=False)
    )
    if found != expected:
        names = ", ".join(f"'{network.name}'" for network in networks)
        raise ValueError(
            f"The networks {names} map images of shape {taken} to shape {found}: expected "
            f"{expected}."
        )
    require_range(Images(made).span, "images", networks[-1])


def any_size(network, images, training, margin=0, multiple=SIZE_MULTIPLE):
    """Pads images to a size that the network accepts, applies the network, and crops the result.

    Args:
        network: Network whose output images have the input size or a multiple of it. If its input
            size is fixed, the images are not padded.
        images: Images, floats `[batch, height, width, channels]`.
        training: Whether to run the network in training mode.
        margin: Width of the reflection padding at each border, in pixels.
        multiple: Number that must divide both sides of the images passed to the network.
    """
    if None not in network.input_shape[1:3]:
        return network(images, training=training)
    _, height, width, _ = keras.ops.shape(images)
    padded = _padded(images, height, margin, multiple, axis=1)
    padded = _padded(padded, width, margin, multiple, axis=2)
    results = network(padded, training=training)
    if padded is images:
        return results
    # If the network enlarges images, the margin to crop is enlarged, too.
    factor = keras.ops.shape(results)[1] // keras.ops.shape(padded)[1]
    top = factor * margin
    return results[:, top : top + factor * height, top : top + factor * width]


def _padded(images, size, margin, multiple, axis):
    """Pads images by reflection before the first and after the last pixel; repeats if necessary."""
    smallest = 2 * multiple if multiple > 1 else 1
    fits = multiple == 1 or (isinstance(size, int) and size % multiple == 0 and size >= smallest)
    if fits and not margin:
        return images
    # Only nonnegative numbers are divided: for negative numbers, the remainder differs between
    # runtimes.
    length = (size + 2 * margin + multiple - 1) // multiple * multiple
    index = tf.range(tf.maximum(length, smallest)) - margin
    index = tf.where(index < 0, -1 - index, index) % (2 * size)
    return tf.gather(images, tf.minimum(index, 2 * size - 1 - index), axis=axis)


def _translated(network, margin, multiple, images, seed):
    count = tf.shape(images)[0]
    with inference_seed(seed):
        return any_size(network, one_at_least(images, count), False, margin, multiple)[:count]


def _signature(network, margin, multiple):
    source = Images(network.input_shape[1:])
    target = Images(network.output_shape[1:])

    def translate(images, seed=0):
        translated = _translated(network, margin, multiple, source.prepare(images), seed)
        return {"images": target.restore(translated)}

    def translate_seeded(images, seed):
        return translate(images, seed_checked(seed))

    if not _draws(network):
        return translate, [source.spec()]
    translate_seeded.defaults = {"seed": 0}
    return translate_seeded, [source.spec(), tf.TensorSpec([], tf.int32, name="seed")]


def _draws(network) -> bool:
    """Returns whether any layer of the network is random at inference."""
    return any(getattr(layer, "always", False) for layer in all_layers(network))
