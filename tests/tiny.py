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
import pytest
import tensorflow as tf

import keras_gen
from keras_gen.autoencoders import (
    Autoencoder,
    ClassifyingAutoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    DocumentAutoencoder,
    SparseAutoencoder,
)
from keras_gen.gan import GAN
from keras_gen.losses import GradientPenalty, LeastSquares, Normal
from keras_gen.networks import (
    context_decoder,
    context_encoder,
    dcgan_discriminator,
    dcgan_generator,
    mlp_decoder,
    mlp_encoder,
    patch_discriminator,
    resnet_generator,
)
from keras_gen.training import ConstantThenLinear, GenerativeModel
from keras_gen.translation import ContextEncoder, CycleGAN
from keras_gen.vae import VAE

BATCH, EXAMPLES = 4, 8  # the global batch, and two steps an epoch
WORDS = "apple bread corn egg fish honey lemon milk oil rice salt water".split()  # of texts


@dataclasses.dataclass(frozen=True)
class Tiny:
    """How to make a tiny model and what to train it on.

    Args:
        build: Function of the seed that returns a new model.
        shapes: Shape of an example of each of the arrays that `fit` takes.
        generate: Function of a model that returns generated images, the same when called again.
        draws: Whether its training draws random numbers.
    """

    build: Callable[[int], GenerativeModel]
    shapes: tuple
    generate: Callable[[GenerativeModel], np.ndarray]
    draws: bool = True

    def data(self, examples: int = EXAMPLES) -> tuple:
        """Random uint8 images, one array for each argument of `fit`."""
        random = np.random.default_rng(0)
        return tuple(
            random.integers(0, 256, (examples, *shape), dtype="uint8") for shape in self.shapes
        )

    def floats(self, model: GenerativeModel, examples: int = EXAMPLES) -> tuple:
        """The same images in the range of the model's data."""
        return tuple(model.prepare(images).numpy() for images in self.data(examples))

    def compiled(self, seed: int = 3) -> GenerativeModel:
        """A new model, the same each time, with an optimizer for every player."""
        keras.utils.set_random_seed(0)
        model = self.build(seed)
        model.compile(**optimizers(model))
        return model


def batches(arrays: tuple) -> tf.data.Dataset:
    """Global batches for `fit`, which workers and replicas share out."""
    dataset = tf.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0])
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.batch(BATCH, drop_remainder=True).with_options(options)


def optimizers(model: GenerativeModel) -> dict:
    """Adam with a learning-rate schedule, for the first player with a moving average too.

    Its epsilon is large, because Adam divides gradients that are nothing but rounding errors by
    their own size, and so makes large steps of them in a random direction.
    """
    rate = ConstantThenLinear(1e-3, constant_steps=3, decay_steps=20)
    return {
        name: keras.optimizers.Adam(
            rate, beta_1=0.5, epsilon=1e-2, use_ema=number == 0, ema_momentum=0.8
        )
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


def _context_encoder(seed=3):
    shape = (16, 16, 3)
    return ContextEncoder(
        context_encoder(shape, filters=2, name="of_context"),
        context_decoder(shape, filters=2, name="of_regions"),
        dcgan_discriminator(shape, filters=2),
        mask="random",
        overlap=2,
        overlap_weight=3.0,
        objective="least_squares",
        reconstruction_weight=0.9,
        adversarial_weight=0.1,
        seed=seed,
        name="tiny_context_encoder",
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


def _code_networks(**options):
    shape = (4, 4, 1)
    return (
        mlp_encoder(shape, latents=3, hidden=(), outputs=("codes",), **options),
        mlp_decoder(shape, latents=3, hidden=(5,)),
    )


def _variant(cls, seed=3, output_activation=None, **options):
    networks = _code_networks(output_activation=output_activation)
    return cls(*networks, likelihood=Normal(scale=0.5), seed=seed, **options)


def _autoencoder(seed=3):
    return _variant(Autoencoder, seed, name="tiny_ae")


def _classifying(seed=3):
    layers = keras.layers
    # As many classes as an 8-bit label may name.
    logits = [keras.Input((3,)), layers.Dense(4), layers.Dense(256, dtype="float32")]
    return ClassifyingAutoencoder(
        *_code_networks(),
        keras.Sequential(logits, name="classifier"),
        likelihood=Normal(scale=0.5),
        weight=2.0,
        seed=seed,
    )


def _contractive(seed=3):
    options = dict(output_activation="sigmoid", weight=0.5, method="hutchinson")
    return _variant(ContractiveAutoencoder, seed, **options)


def _denoising(seed=3):
    return _variant(DenoisingAutoencoder, seed, corruption="salt_and_pepper", amount=0.5)


def _document(seed=3):
    return DocumentAutoencoder(
        mlp_encoder((len(WORDS),), latents=3, hidden=(6,), outputs=("codes",)),
        mlp_decoder((len(WORDS),), latents=3, hidden=(5,)),
        WORDS,
        likelihood="poisson",
        top=4,
        seed=seed,
        name="tiny_documents",
    )


def _sparse(seed=3):
    options = dict(output_activation="sigmoid", penalty="l1", weight=0.5, target=0.2)
    return _variant(SparseAutoencoder, seed, **options)


def _reconstruct(model):
    return model.reconstruct(np.arange(48, dtype="uint8").reshape(3, 4, 4, 1))


def _inpaint(model):
    images = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), dtype="uint8")
    return model.inpaint(images, seed=1)


def _words(model):
    _, rates = model.reconstruct(["apple apple milk", "bread", "no known word"])
    return np.clip(100 * rates, 0, 255).astype("uint8")


def _translate(model):
    images = np.random.default_rng(1).integers(0, 256, (2, 13, 18, 3), dtype="uint8")
    return np.concatenate([model.translate(images, name) for name in model.directions()])


TINY = {
    "Autoencoder": Tiny(_autoencoder, ((4, 4, 1),), _reconstruct, draws=False),
    "ClassifyingAutoencoder": Tiny(_classifying, ((4, 4, 1), ()), _reconstruct, draws=False),
    "ContractiveAutoencoder": Tiny(_contractive, ((4, 4, 1),), _reconstruct),
    "DenoisingAutoencoder": Tiny(_denoising, ((4, 4, 1),), _reconstruct),
    "DocumentAutoencoder": Tiny(_document, ((len(WORDS),),), _words, draws=False),
    "SparseAutoencoder": Tiny(_sparse, ((4, 4, 1),), _reconstruct, draws=False),
    "ContextEncoder": Tiny(_context_encoder, ((16, 16, 3),), _inpaint),
    "CycleGAN": Tiny(_cyclegan, ((16, 16, 3), (16, 16, 3)), _translate),
    "GAN": Tiny(_gan, ((16, 16, 1),), lambda model: model.sample(3, seed=1)),
    "VAE": Tiny(_vae, ((4, 4, 1),), lambda model: model.sample(3, seed=1)),
}


def state(model: GenerativeModel) -> list[np.ndarray]:
    """The values of all that training depends on."""
    return [keras.ops.convert_to_numpy(v) for v in model.training_variables()]


def set_state(model: GenerativeModel, values: list) -> None:
    """Gives a model, of any seed or number of replicas, the `state` of another."""
    for variable, value in zip(model.training_variables(), values, strict=True):
        variable.assign(value)


def difference(model: GenerativeModel, a: list, b: list) -> dict[str, float]:
    """The largest difference of two states in each variable that differs, as a share of it.

    Shares are of the largest value, or of 1 if that is smaller. NaNs equal each other.
    """
    found = {}
    for variable, x, y in zip(model.training_variables(), a, b, strict=True):
        if not np.array_equal(x, y, equal_nan=np.issubdtype(x.dtype, np.inexact)):
            x, y = x.astype("float64"), y.astype("float64")
            found[variable.path] = float(np.max(np.abs(x - y)) / max(1.0, np.max(np.abs(x))))
    return found


def family(cls: type) -> type:
    """The base of the model classes in the package that the class is in."""
    package = cls.__module__.rpartition(".")[0]
    return [c for c in cls.__mro__ if c.__module__.rpartition(".")[0] == package][-1]


def only(name: str) -> list:
    """Every class for `parametrize`, all but one marked as slow."""
    slow = pytest.mark.slow
    return [n if n == name else pytest.param(n, marks=slow) for n in model_classes()]


def one_of_each_family() -> list:
    """Every class for `parametrize`, all but the first of each family marked as slow."""
    found = model_classes()
    first = {family(c): name for name, c in reversed(found.items())}
    first |= {c: name for name, c in found.items() if family(c) is c}
    slow = pytest.mark.slow
    return [pytest.param(name, marks=[] if name in first.values() else slow) for name in found]


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
