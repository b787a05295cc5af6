"""A tiny instance of every model class, which the contracts in tests/contracts run on.

A new model class needs an entry here. Constructor arguments differ from their defaults, so that a
round trip through a configuration means something.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import keras_gen
from keras_gen.gan import GAN
from keras_gen.losses import GradientPenalty, LeastSquares, Normal
from keras_gen.networks import (
    dcgan_discriminator,
    dcgan_generator,
    mlp_decoder,
    mlp_encoder,
    patch_discriminator,
    resnet_generator,
)
from keras_gen.training import ConstantThenLinear, GenerativeModel
from keras_gen.translation import CycleGAN
from keras_gen.vae import VAE

BATCH, EXAMPLES = 4, 8  # the global batch, and two steps an epoch


@dataclasses.dataclass(frozen=True)
class Tiny:
    """How to make a tiny model and what to train it on.

    Args:
        build: Function of the seed that returns a new model, with the names of its layers the same
            each time.
        shapes: Shape of an example of each of the arrays that `fit` takes.
        generate: Function of a model that returns generated images, the same when called again.
    """

    build: Callable[[int], GenerativeModel]
    shapes: tuple
    generate: Callable[[GenerativeModel], np.ndarray]

    def data(self, examples: int = EXAMPLES, seed: int = 0) -> tuple:
        """Random uint8 images, one array for each argument of `fit`."""
        random = np.random.default_rng(seed)
        return tuple(
            random.integers(0, 256, (examples, *shape), dtype="uint8") for shape in self.shapes
        )

    def batches(self, examples: int = EXAMPLES, drop_remainder: bool = True) -> tf.data.Dataset:
        """The same images as a finite dataset of global batches."""
        data = self.data(examples)
        dataset = tf.data.Dataset.from_tensor_slices(data if len(data) > 1 else data[0])
        return dataset.batch(BATCH, drop_remainder=drop_remainder)

    def compiled(self, seed: int = 3) -> GenerativeModel:
        """A new model with an optimizer of its own kind for every player."""
        model = self.build(seed)
        model.compile(**optimizers(model))
        return model


def optimizers(model: GenerativeModel) -> dict:
    """Adam with a moving average for the first player, a learning-rate schedule for the others."""
    scheduled = ConstantThenLinear(2e-3, constant_steps=2, decay_steps=8)
    return {
        name: keras.optimizers.Adam(scheduled, beta_1=0.5, epsilon=1e-2)
        if number
        else keras.optimizers.Adam(1e-3, epsilon=1e-2, use_ema=True, ema_momentum=0.8)
        for number, name in enumerate(model.players())
    }


def _gan(seed=3):
    shape = (16, 16, 1)
    return GAN(
        dcgan_generator(shape, latents=3, filters=2),
        dcgan_discriminator(shape, filters=2),
        objective=LeastSquares(a=-1.0, b=1.0, c=0.0),
        penalty=GradientPenalty(weight=2.0),
        discriminator_steps=2,
        seed=seed,
        name="tiny_gan",
    )


def _cyclegan(seed=3):
    shape = (16, 16, 3)
    return CycleGAN(
        resnet_generator(filters=4, blocks=1, upsampling="resize", name="to_monet"),
        resnet_generator(filters=4, blocks=1, name="to_photo"),
        patch_discriminator(shape, filters=4, strided_layers=1, name="of_photos"),
        patch_discriminator(shape, filters=4, strided_layers=1, name="of_paintings"),
        objective="non_saturating",
        cycle_weight=5.0,
        identity_weight=0.25,
        pool_size=5,
        domains=("photo", "monet"),
        seed=seed,
        name="tiny_cyclegan",
    )


def _vae(seed=3):
    shape = (4, 4, 1)
    return VAE(
        mlp_encoder(shape, latents=2, hidden=(5,)),
        mlp_decoder((4, 4, 2), latents=2, hidden=(6, 5), activation="relu"),
        likelihood=Normal(scale=None, minimum_scale=0.1),
        beta=0.5,
        seed=seed,
        name="tiny_vae",
    )


def _translate(model):
    images = np.random.default_rng(1).integers(0, 256, (2, 13, 18, 3), dtype="uint8")
    return np.concatenate([model.translate(images, name) for name in model.directions()])


TINY = {
    "CycleGAN": Tiny(_cyclegan, ((16, 16, 3), (16, 16, 3)), _translate),
    "GAN": Tiny(_gan, ((16, 16, 1),), lambda model: model.sample(3, seed=1)),
    "VAE": Tiny(_vae, ((4, 4, 1),), lambda model: model.sample(3, seed=1)),
}


def model_classes() -> dict[str, type]:
    """Every concrete model class of the package by name, found by importing all of it.

    A class is concrete if it is registered for serialisation, which pure bases are not.
    """
    for module in pkgutil.walk_packages(keras_gen.__path__, "keras_gen."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, todo = [], [GenerativeModel]
    while todo:
        todo += (subclasses := todo.pop().__subclasses__())
        found += [c for c in subclasses if c.__module__.startswith("keras_gen.")]
    named = {keras.saving.get_registered_name(c): c for c in found}
    return {c.__name__: c for name, c in sorted(named.items()) if name.startswith("keras_gen>")}
