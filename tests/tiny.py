"""A tiny instance of every model class, which the contracts in tests/contracts run on.

A new model class needs an entry in the file of its family in tests/instances. Constructor
arguments differ from their defaults, so that a round trip through a configuration means something.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.backend.common import global_state

import keras_gen
from keras_gen.core import ConstantThenLinear, GenerativeModel
from keras_gen.core.kinds_of_data import (
    Characters,
    Images,
    Labels,
    Levels,
    MuLaw,
    Rows,
    Seeds,
    Table,
    Texts,
    Waveforms,
)
from seeding import start_over

BATCH, EXAMPLES = 4, 8  # the global batch, and two steps per epoch
# What all models share is tested on a class with one player and on one with two alone.
core = pytest.mark.parametrize("tiny", ["VAE", "GAN"], indirect=True)
# One class for each pattern of what classes override, in small networks.
PATTERNS = (
    "Classifier",
    "ConditionalGAN",
    "DANN",
    "DDPM",
    "GAN",
    "HistoryGAN",
    "M2",
    "PacGAN",
    "VAE",
    "VFAE",
    "VQVAE",
)
cheapest = pytest.mark.parametrize("tiny", ["VAE"], indirect=True)
SIDE = 16  # of images where any size is taken
ROWS = {"age": [3, 5, 8, 5], "kind": ["cat", "dog", None, "dog"], "size": [0.5, 2.5, 2.5, None]}
WORDS = "apple bread corn egg fish honey lemon milk oil rice salt water".split()  # of texts


@dataclasses.dataclass(frozen=True)
class Tiny:
    """How to make a tiny model and what it does.

    What it is trained on follows from its edges: what they are of, their shapes and classes.

    Args:
        build: Function of the seed that returns a new model.
        generate: Function of a model that returns what it makes as an array, the same each time.
        draws: Whether its training draws random numbers.
        evaluated: What `evaluate` reports, if that is not all that a step of training does.
        traces: How often the step is traced for one device: of networks that grow once a size.
    """

    build: Callable[[int], GenerativeModel]
    generate: Callable[[GenerativeModel], np.ndarray]
    draws: bool = True
    evaluated: tuple[str, ...] = ()
    traces: int = 1

    def compiled(self, seed: int = 3) -> GenerativeModel:
        """A new model, the same each time, with an optimizer for every player."""
        fresh_names()
        start_over(0)
        model = self.build(seed)
        model.compile(**optimizers(model))
        return model

    def data(self, examples: int = EXAMPLES) -> tuple:
        """Random examples for a model that is not at hand."""
        return data(self.build(0), examples)


def cells(model) -> np.ndarray:
    """The cells of three sampled rows of a table."""
    rows = model.edges["x"].as_array(model.sample(3, seed=1))
    return model.prepare(rows).numpy()


def fresh_names() -> None:
    """Names layers as in a new process: by names some things are sorted, and round otherwise.

    `keras.backend.clear_session` does it too, but not inside a strategy's scope.
    """
    global_state.set_global_attribute("object_name_uids", None)


def data(model: GenerativeModel, examples: int = EXAMPLES) -> tuple:
    """Random examples as users have them, one array for each argument of `fit`."""
    random = np.random.default_rng(0)
    edges = model.edges | model.training_edges
    return tuple(random_examples(edges[name], examples, random) for name in model.batch)


def given_examples(edge, n, random) -> np.ndarray:
    """Random examples for a method of a model; rows as texts, since numbers are their values."""
    examples = random_examples(edge, n, random)
    return edge.cells.texts(examples).numpy().astype(str) if isinstance(edge, Rows) else examples


def random_examples(edge, n, random, side=SIDE) -> np.ndarray:
    """Random examples of one kind of data; of open axes the first has the size `side`."""

    def uint8(shape, most):
        sizes = [size or side + axis * (side != SIDE) for axis, size in enumerate(shape)]
        return random.integers(0, most, (n, *sizes), dtype="uint8")

    if isinstance(edge, Images):
        return uint8(edge.shape, 256)
    if isinstance(edge, Levels):
        return uint8(edge.shape, edge.levels)
    if isinstance(edge, Labels):
        return random.integers(-edge.unknown, edge.classes, n, dtype="int32")
    if isinstance(edge, Seeds):
        return random.integers(0, 2**31, n, dtype="int32")
    if isinstance(edge, Texts):
        return uint8((len(edge.vocabulary),), 4)
    if isinstance(edge, Waveforms):
        whole = side // edge.multiple * edge.multiple
        shape = (n, edge.samples or whole, edge.channels)
        return random.integers(-(2**15), 2**15, shape, dtype="int16")
    if isinstance(edge, MuLaw):
        sounds = random.integers(-(2**15), 2**15, (n, edge.samples or side, 1), dtype="int16")
        sounds[0, -1] = 0  # padding
        return sounds
    if isinstance(edge, Characters):
        # As numbers, and not as strings, so that tests can spoil them.
        numbers = random.integers(0, edge.levels - 1, (n, edge.length, 1), dtype="int32")
        numbers[0, -1] = edge.levels - 1
        if edge.length > 1:
            numbers[0, -2:, 0] = edge.levels - 1, -1
        return numbers
    if isinstance(edge, Rows):  # cells, one of them a gap
        sizes = [len(column.shares) for column in edge.cells.columns]
        cells = random.integers(0, sizes, (n, len(sizes))).astype("float32")
        cells[0, -1] = -1
        return cells
    if isinstance(edge, Table):  # vectors, for `fit` takes no strings
        return random.normal(size=(n, edge.vectors.size)).astype("float32")
    sizes = [size or side for size in edge.shape]
    return random.normal(size=(n, *sizes)).astype("float32")


def prepared(model: GenerativeModel, examples: int = EXAMPLES) -> tuple:
    """The same examples in the form that the model's networks take."""
    arrays = zip(model.batch, data(model, examples), strict=True)
    edges = model.edges | model.training_edges
    return tuple(_prepared(edges[name], array) for name, array in arrays)


def _prepared(edge, array):
    if isinstance(edge, MuLaw):  # whose levels no model takes
        return array.astype("float32") / 32768
    return edge.prepare(array).numpy()


def first_batch(model: GenerativeModel) -> tuple:
    """One batch for `train_step`."""
    return tuple(tf.constant(array[:BATCH]) for array in data(model))


def step(model: GenerativeModel) -> dict:
    """One eager training step."""
    return model.train_step(first_batch(model))


def batches(arrays: tuple) -> tf.data.Dataset:
    """Global batches for `fit`, which workers and replicas divide."""
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


def losses_of(history: dict) -> dict:
    """What `fit` has logged of a step, without the learning rates."""
    return {name: v for name, v in history.items() if not name.endswith("learning_rate")}


def players(model: GenerativeModel) -> dict[str, list]:
    """The networks that each optimizer trains, by its name."""
    return {name: player.networks for name, player in model.players().items()}


def sample(model: GenerativeModel) -> np.ndarray:
    """Three samples."""
    return model.sample(3, seed=1)


def reconstruct(model: GenerativeModel) -> np.ndarray:
    """Three reconstructions."""
    return model.reconstruct(np.arange(48, dtype="uint8").reshape(3, 4, 4, 1))


def state(model: GenerativeModel) -> list[np.ndarray]:
    """The values of all that training depends on."""
    return [keras.ops.convert_to_numpy(v) for v in model.training_variables()]


def set_state(model: GenerativeModel, values: list) -> None:
    """Gives a model, of any seed or number of replicas, the `state` of another."""
    for variable, value in zip(model.training_variables(), values, strict=True):
        variable.assign(value)


def difference(model: GenerativeModel, a: list, b: list) -> dict[str, float]:
    """The largest difference of two states in each variable that differs, as a fraction of it.

    Shares are of the largest value, or of 1 if that is smaller. NaNs equal each other.
    """
    found = {}
    for variable, x, y in zip(model.training_variables(), a, b, strict=True):
        if not np.array_equal(x, y, equal_nan=np.issubdtype(x.dtype, np.inexact)):
            x, y = x.astype("float64"), y.astype("float64")
            found[variable.path] = float(np.max(np.abs(x - y)) / max(1.0, np.max(np.abs(x))))
    return found


def pattern(cls: type) -> tuple:
    """What a class overrides of the core, itself or by an ancestor, and whether it has labels."""
    own = [
        inspect.unwrap(getattr(cls, name)) is not inspect.unwrap(getattr(GenerativeModel, name))
        for name in ("train_step", "prepare_batch", "players")
    ]
    return (*own, len(cls.batch) > 1)


def families() -> dict[str, list[str]]:
    """The names of the classes in each package of models."""
    found: dict[str, list[str]] = {}
    for name, cls in model_classes().items():
        found.setdefault(cls.__module__.split(".")[1], []).append(name)
    return found


def model_classes() -> dict[str, type]:
    """Every concrete model class of the package by name, found by importing all of it.

    A class is concrete if it is registered for serialization, which pure bases are not.
    """
    for module in pkgutil.walk_packages(keras_gen.__path__, "keras_gen."):
        # The workshop holds no model, and its page of the demo needs Gradio.
        if not module.name.startswith("keras_gen.workshop"):
            importlib.import_module(module.name)
    found, todo = [], [GenerativeModel]
    while todo:
        todo += (subclasses := todo.pop().__subclasses__())
        found += [c for c in subclasses if c.__module__.startswith("keras_gen.")]
    named = {keras.saving.get_registered_name(c): c for c in found}
    return {c.__name__: c for name, c in sorted(named.items()) if name.startswith("keras_gen>")}
