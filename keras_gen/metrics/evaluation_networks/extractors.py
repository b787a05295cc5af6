"""Feature extractors, for distances between sets of images.

A distance depends on the features that are used. Therefore, the name of every extractor contains a
hash of its weights. Report `extractor.name` with the distance.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_path
from keras_gen.checked_arguments import checked_types
from keras_gen.files.reading import open_arrays
from keras_gen.files.writing import replacing
from keras_gen.metrics.evaluation_networks.labelers import (
    Kind,
    build_classifier,
    train_classifier,
)
from keras_gen.metrics.metric_arguments import as_images

NAMES = ("features", "logits")  # names of a network's outputs


@checked_types
def resize_images(images: np.ndarray, size: tuple[int, int], batch_size: int = 64) -> np.ndarray:
    """Resizes images as recommended by Parmar et al. (2022): antialiased bicubic, 8 bits.

    Without antialiasing, FID changes by more than the improvements that most papers report. As the
    paper recommends, the result is the same as if Pillow resized each channel as floats with its
    bicubic filter, and the result were then rounded.

    Args:
        images: Images, uint8 `[n, H, W, C]`, with 1 or 3 channels.
        size: Height and width of the resized images, which are uint8 `[n, *size, C]`.
        batch_size: Number of images processed at once.

    Example:
        >>> resize_images(np.zeros([2, 64, 64, 3], "uint8"), (32, 32)).shape
        (2, 32, 32, 3)
    """
    images = as_images(images)
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"size is {size}: expected a height and a width of at least 1.")
    if images.shape[1:3] == tuple(size):
        return images
    parts = []
    for start in range(0, len(images), batch_size):
        part = tf.cast(images[start : start + batch_size], tf.float32)
        part = tf.image.resize(part, size, method="bicubic", antialias=True)
        parts.append(np.clip(np.rint(part), 0, 255).astype(np.uint8))
    return np.concatenate(parts)


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A network that maps uint8 images to features, and a name of the network to report in results.

    Args:
        name: Name of the network and its weights.
        model: Network that maps images `[batch, height, width, channels]` to features, or to a dict
            with "features" and optionally "logits".
        size: Height and width to which images are resized (see `resize_images`). If None, images
            are not resized.
        preprocess: Function that maps float images in [0, 255] to the model's range. If None, the
            model accepts [0, 255].
        accuracy: Accuracy of the network on labeled held-out images, if known.
        scale: Number by which features are divided.

    Example:
        >>> extractor = keras_extractor(network)
        >>> frechet_distance(extractor(real)["features"], extractor(generated)["features"])
    """

    name: str
    model: keras.Model
    size: tuple[int, int] | None = None
    preprocess: Callable | None = None
    accuracy: float | None = None
    scale: float = 1.0

    @checked_types
    def __call__(self, images: np.ndarray, batch_size: int = 64) -> dict[str, np.ndarray]:
        """Returns a dict of "features", float32 `[n, d]`, and, if any, "logits", float32 `[n, K]`.

        Args:
            images: Images, uint8 `[n, H, W, C]`. For an RGB model, the single channel of gray
                images is repeated three times.
            batch_size: Number of images processed at once.

        Raises:
            ValueError: If the images do not have this format, or if the model does not accept their
                shape.
        """
        images = as_images(images)
        *sides, channels = shape = self.model.input_shape[1:]
        found = self.size or images.shape[1:3]
        fit = all(side in (None, other) for side, other in zip(sides, found, strict=True))
        if not fit or channels not in (images.shape[-1], 3):
            raise ValueError(
                f"{self.name} accepts images of shape {shape}, but got {images.shape[1:]}: pass "
                "images of that shape, or an extractor that was trained on images like yours."
            )
        parts = [
            self._outputs(images[start : start + batch_size], channels)
            for start in range(0, len(images), batch_size)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    @functools.cached_property
    def _compiled(self):
        # Use a graph, which takes a third of the time of eager calls for a small network on small
        # images.
        function = tf.function(lambda x: self.model(x, training=False), autograph=False)

        @functools.cache
        def traced(shape, dtype):
            # The graph is traced only once, for any number of images, so TensorFlow does not
            # warn about retracing.
            return function.get_concrete_function(tf.TensorSpec([None, *shape], dtype))

        return lambda images: traced(tuple(images.shape[1:]), images.dtype)(images)

    def _outputs(self, images, channels):
        if self.size:
            images = resize_images(images, self.size)
        if images.shape[-1] < channels:
            images = np.repeat(images, channels, axis=-1)
        if self.preprocess:
            images = self.preprocess(tf.cast(images, tf.float32))
        outputs = self._compiled(tf.convert_to_tensor(images))
        if not isinstance(outputs, dict):
            outputs = {"features": outputs}
        found = {n: np.asarray(outputs[n], np.float32) for n in NAMES if n in outputs}
        found["features"] = found["features"] / np.float32(self.scale)
        return {name: values.reshape(len(images), -1) for name, values in found.items()}


@checked_types
def keras_extractor(
    model: keras.Model,
    preprocess: Callable | None = None,
    size: tuple[int, int] | None = None,
    name: str | None = None,
) -> Extractor:
    """Creates an extractor from a Keras model.

    Args:
        model: Functional model, or built Sequential model, that maps images to features
            `[batch, ...]`, or to a dict with "features" and optionally "logits". Features are
            flattened.
        preprocess: Function that maps float images in [0, 255] to the model's range. If None, the
            model accepts [0, 255].
        size: Height and width to which images are resized. If None, the model's input size is used
            if it is fixed, and otherwise, images are not resized.
        name: Name that precedes the hash of the weights. If None, the model's name is used.

    Raises:
        ValueError: If the model is of another type, is not built, does not accept images, or does
            not return features.

    Example:
        >>> vgg = keras.applications.VGG16(include_top=False, pooling="avg")
        >>> extractor = keras_extractor(vgg, keras.applications.vgg16.preprocess_input, (224, 224))
    """
    if not hasattr(model, "inputs"):
        raise ValueError(
            f"The model '{model.name}' ({type(model).__name__}) has no known input shape: "
            "pass a functional model, or a Sequential model that starts with a keras.Input."
        )
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if isinstance(model.output, dict):
        named = "features" in model.output
    else:
        named = not isinstance(model.output, list | tuple)
    if not named or len(model.input_shape) != 4:
        raise ValueError(
            f"The model '{model.name}' maps shape {model.input_shape} to {model.output_shape}: "
            "expected images [batch, H, W, C], and one output or a dict with 'features'."
        )
    if size is None and None not in model.input_shape[1:3]:
        size = tuple(model.input_shape[1:3])
    return Extractor(f"{name or model.name}-{weights_hash(model)}", model, size, preprocess)


def inception_v3() -> Extractor:
    """Creates the extractor "inception_v3-keras_imagenet-<hash>", InceptionV3 from Keras.

    Images are resized to 299x299 pixels. The features are the 2,048 outputs of the last pooling
    layer; the logits are for ImageNet's 1,000 classes. The network is
    `keras.applications.InceptionV3`, whose weights differ from those used by Heusel et al. (2017)
    and Salimans et al. (2016), so do not compare the results with published FIDs and Inception
    scores. Keras downloads the weights (92 MiB) once.

    Example: `inception_v3()(images)["features"]`.
    """
    try:
        network = keras.applications.InceptionV3(classifier_activation=None)
    except Exception as error:  # Keras does not raise a more specific error if a download fails
        raise FileNotFoundError(
            f"The weights of InceptionV3 can be neither found nor downloaded ({error}): use "
            "trained_extractor, which needs no download, or put the weights in ~/.keras/models."
        ) from error
    features = network.get_layer("avg_pool").output
    model = keras.Model(network.input, {"features": features, "logits": network.output})
    preprocess = keras.applications.inception_v3.preprocess_input
    return keras_extractor(model, preprocess, name="inception_v3-keras_imagenet")


@checked_types
def trained_extractor(
    images: np.ndarray,
    labels: np.ndarray,
    steps: int = 1500,
    seed: int = 0,
    cache: str | Path | None = None,
    kind: Kind = "conv",
) -> Extractor:
    """Trains a small classifier on a labeled dataset, and creates an extractor from it.

    The classifier is trained once, on nine tenths of the images, and is stored in a file whose name
    is a hash of the data and settings; a damaged file is replaced. The classifier accepts only
    images of the training shape, so pad or crop other images first.

    Args:
        images: At least 10 training images, uint8 `[n, H, W, 1 or 3]`, with the same shape as the
            images to measure.
        labels: Labels, integers `[n]` from 0 to K - 1.
        steps: Number of training steps. For 28x28 pixels, 1,500 steps take about half a minute on
            two cores.
        seed: Seed for training.
        cache: Folder for the files. If None, the environment variable KERAS_GEN_CACHE, or else
            `~/.cache/keras_gen`, is used.
        kind: Type of network: "conv" for classification, and "max" or "average" for features; see
            `build_classifier`.

    Returns:
        The extractor "<kind>_classifier-<hash of the weights>" with 128 features and K logits. Its
        `accuracy` is measured on the held-out tenth of the images. On these images, the features
        have a mean square of 1, so that distances computed with different classifiers have the same
        unit.

    Raises:
        OSError: If the folder cannot be written to.

    Example: `trained_extractor(train_images, train_labels).accuracy`.
    """
    images = as_images(images)
    if len(images) < 10 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"trained_extractor got {len(images)} images and labels of shape {labels.shape}: "
            "pass at least 10 images, and one label for each."
        )
    folder = checked_path("cache", cache) if cache else cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}_classifier-{_data_hash(images, labels, steps, seed)}.npz"
    classes = int(labels.max()) + 1
    model = build_classifier(images.shape[1:], classes, seed, kind)
    try:
        with open_arrays(path) as saved:
            accuracy = float(saved["accuracy"])
            scale = float(saved["scale"])
            model.set_weights([saved[str(i)] for i in range(len(model.weights))])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        order = np.random.default_rng(seed).permutation(len(images))
        held_out, rest = np.split(order, [len(images) // 10])
        model = train_classifier(
            images[rest], labels[rest], classes, steps=steps, seed=seed, kind=kind
        )
        found = Extractor("", model)(images[held_out])
        accuracy = float((found["logits"].argmax(axis=1) == labels[held_out]).mean())
        # The scale is 1 if all ReLUs are zero, as may happen after a few steps.
        scale = float(np.sqrt(np.mean(np.square(found["features"], dtype=np.float64)))) or 1.0
        arrays = {str(i): weight for i, weight in enumerate(model.get_weights())}
        with replacing(path) as file:
            np.savez(file, accuracy=accuracy, scale=scale, **arrays)
    name = f"{model.name}-{weights_hash(model)}"
    return Extractor(name, model, accuracy=accuracy, scale=scale)


@checked_types
def trained_extractors(
    images: np.ndarray, labels: np.ndarray, steps: int = 1500, seed: int = 0
) -> dict[str, Extractor]:
    """Creates a dict of extractors from classifiers of the types "max" and "average", by type.

    For the arguments, see `trained_extractor`.

    Example: `GenerationEvaluation(trained_extractors(*train), train[0][:5000])`.
    """
    return {
        "max": trained_extractor(images, labels, steps, seed, kind="max"),
        "average": trained_extractor(images, labels, steps, seed, kind="average"),
    }


def cache_folder() -> Path:
    """Returns the folder for cached files: `KERAS_GEN_CACHE`, or else `~/.cache/keras_gen`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("KERAS_GEN_CACHE") or Path(base) / "keras_gen")


def weights_hash(model: keras.Model) -> str:
    """Returns 12 hexadecimal digits of the SHA-256 of a built model's weights and their shapes."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(f"{weight.dtype}{weight.shape}".encode() + weight.tobytes())
    return digest.hexdigest()[:12]


def _data_hash(images: np.ndarray, labels: np.ndarray, steps: int, seed: int) -> str:
    digest = hashlib.sha256(f"{images.shape} {steps} {seed} version 4".encode())
    digest.update(np.ascontiguousarray(images).data)
    digest.update(labels.astype(np.int64).tobytes())
    return digest.hexdigest()[:16]
