"""Data passed to `fit`, with one class per type: arrays, datasets, generators, and sources."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NoReturn, Protocol, runtime_checkable

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import refuse_masked
from keras_gen.core.batches import in_order
from keras_gen.core.kinds_of_data import Edge, Labels
from keras_gen.core.kinds_of_data.kind_of_data import is_table
from keras_gen.core.kinds_of_data.waveform_data import Sounds
from keras_gen.data.source import Source
from keras_gen.data.transforms.texts import sorted_names
from keras_gen.files.sounds import of_one_length
from keras_gen.messages import BAD_INPUT, END, warn

_LOOKED_AT = 256  # maximum number of examples of an array that are inspected
_MOST_KEPT = 1000  # maximum number of batches kept from a generator
_EXPECTED = "arrays, a tf.data.Dataset, a keras.utils.PyDataset, or a generator of batches"


class FitData:
    """Data passed as the Keras arguments `x` and `y`. Each subclass handles one type.

    The base class itself handles batches that a strategy distributes, because only a step can read
    such batches.

    Args:
        owner: Name of the call that receives the data, used in messages.
        x: Examples, or batches of all parts.
        y: Additional parts if `x` is an array.
        convert: Function that checks each batch, and converts its tables and texts to arrays.
    """

    # Whether Keras shuffles the data and divides it into batches.
    divided_by_keras = False
    # Whether the batches are infinite.
    endless = False

    def __init__(self, owner: str, x, y=None, convert: Callable | None = None):
        self.owner = owner
        self.x = x
        self.y = y
        self.convert = convert or _without_masks

    def check(self, steps: int | None) -> None:
        """Raises a ValueError for infinite data if the number of `steps` per epoch is None."""
        if self.endless and steps is None:
            raise ValueError(
                f"{self.owner} got an infinite dataset as x, so an epoch would never end: pass "
                "the number of steps per epoch, such as steps_per_epoch=100."
            )

    def count(self) -> int | None:
        """Returns the number of examples to train on; None for data that is not in memory."""
        return None

    def steps(self, size: int) -> int | None:
        """Returns the number of batches, of the given size if undivided; None if unknown."""
        count = self.count()
        return None if count is None else math.ceil(count / size)

    def epoch(self, steps: int | None) -> Iterator | None:
        """Returns the batches of an epoch, or None if they cannot be inspected before training.

        Args:
            steps: Maximum number of batches, or None for no limit.
        """
        return None

    def learned_from(self, steps: int | None) -> Iterator | None:
        """Returns the batches from which the model learns units; the default is one epoch."""
        return self.epoch(steps)

    def first(self):
        """Returns the first batch, or None if it cannot be inspected; rejects empty data.

        With empty data, Keras would return silently.
        """
        batches = self.epoch(1)
        if batches is None:
            return None
        for batch in batches:
            return batch
        raise ValueError(
            "The data contains no batches: expected at least one. With few examples, "
            "drop_remainder=True drops the only batch."
        )


class Batches(FitData):
    """A `tf.data.Dataset` of batches."""

    @property
    @override
    def endless(self):
        return self.x.cardinality() == tf.data.INFINITE_CARDINALITY

    @override
    def steps(self, size):
        batches = int(self.x.cardinality())  # negative if infinite or unknown
        return batches if batches >= 0 else None

    @override
    def epoch(self, steps):
        return iter(self.x.take(-1 if steps is None else steps))

    @override
    def learned_from(self, steps):
        """Returns the batches of an epoch, and issues a warning if the data might be infinite."""
        unknown = self.x.cardinality() == tf.data.UNKNOWN_CARDINALITY
        for number, batch in enumerate(self.epoch(steps)):
            if number == _MOST_KEPT and steps is None and unknown:
                warn(
                    f"{self.owner} has read {_MOST_KEPT} batches of x, whose number is unknown, to "
                    "learn the data's mean and standard deviation: if the data is infinite, pass "
                    "the number of steps per epoch, such as steps_per_epoch=100."
                )
            yield batch


class Sourced(Batches):
    """A `keras_gen.data.Source`, or another object that yields batches of its examples."""

    def __init__(
        self,
        owner: str,
        source,
        y=None,
        convert: Callable | None = None,
        of_arrays: bool = False,
    ):
        super().__init__(owner, None, y, convert)
        self.source = source
        self.of_arrays = of_arrays

    def shuffle(self, size: int, arguments: dict[str, Any], seed: int) -> None:
        """Sets shuffled batches and the number of steps per epoch in the arguments of `fit`.

        For a source, an epoch consists of whole batches, and the remaining examples start the next
        epoch. For arrays, an epoch has as many batches as in Keras, and the next permutation
        completes the last batch. If `initial_epoch` is not 0, the stream starts at the position
        that an uninterrupted run would have reached.
        """
        size = min(size, len(self.source))
        whole, remainder = divmod(len(self.source), size)
        steps = arguments.get("steps_per_epoch") or whole + (self.of_arrays and remainder > 0)
        arguments["steps_per_epoch"] = steps
        start = arguments.get("initial_epoch", 0) * steps
        self.x = self.source.stream(size, seed=seed, start=start)

    @override
    def count(self):
        return len(self.source)

    def divide(self, size: int) -> None:
        """Divides the data into batches of `size` examples, in order."""
        self.x = self.source.batches(size)

    @override
    def learned_from(self, steps):
        """Returns every example once, because shuffled batches of equal size omit some examples."""
        return iter(self.source.batches(min(_LOOKED_AT, len(self.source))))

    def split(self, fraction: float, seed: int) -> "Sourced":
        """Removes and returns held-out examples.

        For arrays, the held-out examples are the last examples, as in Keras. A source may be sorted
        by class, so it is split at random.
        """
        if self.of_arrays:
            kept = _count_kept(len(self.source), fraction)
            held_out = self.source.select(slice(kept, None))
            self.source = self.source.select(slice(kept))
        else:
            self.source, held_out = self.source.split(fraction, seed)
        return Sourced(f"validation_data of {self.owner}", held_out)


class PyBatches(FitData):
    """A `keras.utils.PyDataset` of batches."""

    def __init__(self, owner: str, x, y=None, convert: Callable | None = None):
        super().__init__(owner, x, y, convert)
        self.x = _Converted(x, self.convert)

    @property
    @override
    def endless(self):
        return self.x.num_batches is None

    @override
    def epoch(self, steps):
        counts = [count for count in (steps, self.x.num_batches) if count is not None]
        return (self.convert(self.x.batches[number]) for number in range(min(counts)))


class _Converted(keras.utils.PyDataset):
    """The batches of a given PyDataset, checked and converted to arrays."""

    def __init__(self, batches: keras.utils.PyDataset, convert: Callable):
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.batches = batches
        self.convert = convert
        self.on_epoch_begin = batches.on_epoch_begin
        self.on_epoch_end = batches.on_epoch_end

    @property
    @override
    def num_batches(self):
        return self.batches.num_batches

    @override
    def __getitem__(self, index):
        return _in_graph(self.convert, self.batches[index])


class Generator(FitData):
    """A generator. It yields each batch only once, so inspected batches are kept for Keras."""

    def __init__(self, owner: str, x: Iterator, y=None, convert: Callable | None = None):
        self._seen: list = []
        self._rest = x
        super().__init__(owner, self._all(), y, convert)

    def _all(self) -> Iterator:
        """Yields all batches."""
        kept = (self._seen.pop(0) for _ in range(len(self._seen)))
        for batch in itertools.chain(kept, self._rest):
            yield _in_graph(self.convert, batch)

    @override
    def epoch(self, steps):
        missing = None if steps is None else max(steps - len(self._seen), 0)
        self._seen += itertools.islice(self._rest, missing)
        return map(self.convert, self._seen[:steps])

    @override
    def learned_from(self, steps):
        """Returns the batches of an epoch; raises a ValueError if they do not fit in memory."""
        batches = self.epoch(_MOST_KEPT + 1 if steps is None else steps)
        if steps is None and len(self._seen) > _MOST_KEPT:
            raise ValueError(
                f"{self.owner} got a generator of more than {_MOST_KEPT} batches as x, all of "
                "which must be kept in memory to learn the data's mean and standard deviation: "
                "pass the number of steps per epoch, such as steps_per_epoch=100."
            )
        return batches


def _without_masks(batch):
    for part in tf.nest.flatten(batch):
        refuse_masked("A batch", part)
    return batch


def _with_arrays(model, owner: str, learns: bool, edges: list[Edge] | None, batch):
    """Returns a batch whose tables, columns, and texts are arrays; see `Arrays`."""
    parts = in_order(_without_masks(batch))
    if not any(isinstance(part, Mapping) or _becomes_array(part) for part in parts):
        return batch
    first, *others = parts
    arrays = Arrays(model, owner, first, others or None, learns, edges)
    return arrays.x if arrays.y is None else (arrays.x, arrays.y)


def _becomes_array(part) -> bool:
    """Returns whether a part of a batch is a table, a column, or texts."""
    kind = getattr(getattr(part, "dtype", None), "kind", "")
    return (
        isinstance(part, list) or hasattr(part, "to_numpy") or kind in (*_WITHOUT_NUMBERS, *"SU")
    )


def _in_graph(convert: Callable, batch) -> tuple:
    """Returns a batch as a tuple, as Keras requires; errors contain this library's messages."""
    try:
        batch = convert(batch)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{BAD_INPUT}{error}{END}") from None
    return batch if isinstance(batch, tuple) else (batch,)


class Arrays(FitData):
    """Arrays, pandas tables, or lists of texts, each of which supplies one part of every batch.

    Args:
        model: `GenerativeModel` whose edges convert tables and texts to arrays.
        owner: Name of the call that receives the data, used in messages.
        x: First part, or several parts in a list, tuple, or dict.
        y: Additional parts.
        learns: Whether the model learns the names of columns and classes from the data.
        edges: Edges for the parts, in order. If None, the model's training edges are used.

    Raises:
        ValueError: If the data is invalid, or if its column or class names differ from the names
            that the model knows.
    """

    divided_by_keras = True

    def __init__(
        self, model, owner: str, x, y=None, learns: bool = False, edges: list[Edge] | None = None
    ):
        self.owner = owner
        self.split = 0.0
        x = (edges or _training_edges(model))[0].of_columns(x)
        parts = self._parts_of("x", x)
        if y is not None:
            parts += self._parts_of("y", y)
        names, given = (list(column) for column in zip(*parts, strict=True))
        if any(isinstance(part, Mapping) for part in given):
            given = list(model.named_parts(given).values())
            names = ["x"] * len(given)
        if learns:
            _learn_names(model, dict(zip(model.batch, given, strict=False)))
        edges = edges or _training_edges(model)  # includes the learned names of labels
        # Maximum number of parts in x; longer lists contain recordings.
        most = len(edges) - (y is not None)
        if isinstance(edges[0], Sounds) and isinstance(x, list | tuple) and len(x) > most:
            of_one_length(x)
        edge_of = [*edges, *[edges[-1]] * len(given)]
        self.parts = list(map(self._array, names, given, edge_of))
        lengths = [len(part) for part in self.parts]
        if len(set(lengths)) > 1:
            found = " and ".join(map(str, lengths))
            raise ValueError(
                f"{self.owner} got arrays of {found} examples: expected the same number of "
                "examples in each array."
            )
        # Keras casts only arrays to float32.
        self.lose_digits = any(
            edge.loses(part) for part, edge in zip(self.parts, edges, strict=False)
        )
        self.x, *others = self.parts
        self.y = tuple(others) if len(others) > 1 else others[0] if others else None

    def as_source(self) -> Sourced:
        """Returns the data as a source, which preserves the full precision of the data."""
        source = Source(tuple(self.parts) if self.y is not None else self.x)
        return Sourced(self.owner, source, of_arrays=True)

    def _parts_of(self, argument: str, data) -> list[tuple[str, Any]]:
        """Returns the named parts of an argument in order; rejects an empty argument."""
        if type(data).__module__.startswith("h5py") and isinstance(data, Mapping):
            first = next(iter(data), "x") if data else "x"
            raise ValueError(
                f"{self.owner} got an h5py.{type(data).__name__} as {argument}: expected "
                f"{_EXPECTED}. Pass one of its datasets, such as file['{first}']."
            )
        parts = in_order(data)
        if not parts or (isinstance(data, Mapping) and not data):
            refuse_no_data(self.owner, argument)
        return [(argument, part) for part in parts]

    def _array(self, argument: str, given, edge):
        """Converts a table, a column, a list of strings, or an array to an array.

        Raises:
            ValueError: If the argument cannot be converted to an array of numbers, or is empty.
        """
        if isinstance(given, tf.SparseTensor) or hasattr(given, "toarray"):
            raise ValueError(
                f"{self.owner} got a sparse {type(given).__name__} as {argument}: expected "
                f"{_EXPECTED}. Pass x.toarray(), or tf.sparse.to_dense(x)."
            )
        listed = isinstance(given, list | memoryview)
        part = np.asarray(given) if listed else edge.as_array(given)
        kind = getattr(getattr(part, "dtype", None), "kind", "a number's")
        if kind in "OUS" and (edge.spec().dtype == tf.string or getattr(edge, "names", ())):
            part = edge.prepare(part.astype(str)).numpy()
            kind = part.dtype.kind
        if isinstance(part, tf.RaggedTensor):
            raise ValueError(
                f"{self.owner} got a ragged tensor as {argument}, whose examples differ in size: "
                "resize or pad the examples to one size."
            )
        if not hasattr(part, "shape"):
            kind = type(part).__name__
            raise ValueError(
                f"{self.owner} got {argument} of type {kind}: expected {_EXPECTED}."
            )
        if kind in "OUSmMV":
            texts = kind in "US" or any(isinstance(each, str) for each in np.ravel(part)[:1])
            what = "strings" if texts else _WITHOUT_NUMBERS[kind]
            way_out = (
                ". To number classes, use np.unique(labels, return_inverse=True)[1]"
                if texts
                else ""
            )
            raise ValueError(
                f"{self.owner} got {argument} as an array of {what}: expected numbers{way_out}."
            )
        if not np.shape(part):
            raise ValueError(
                f"{self.owner} got a single number as {argument}: expected {_EXPECTED}."
            )
        if not all(np.shape(part)):
            raise ValueError(f"{self.owner} got no examples: expected nonempty arrays.")
        return part

    @override
    def count(self):
        """Returns the number of examples that Keras uses for training."""
        return _count_kept(len(self.x), self.split)

    @override
    def epoch(self, steps):
        """Returns all examples that Keras uses for training, as a single batch."""
        kept = self.count()
        return iter([tuple(part[:kept] for part in self.parts)])

    @override
    def first(self):
        return tuple(part[:_LOOKED_AT] for part in self.parts)


_WITHOUT_NUMBERS = {
    "O": "Python objects, which cannot be stacked",
    "m": "durations",
    "M": "dates",
    "V": "records with several fields",
}


def _training_edges(model) -> list[Edge]:
    """Returns the edges of the parts of a batch, in order."""
    edges = model.edges | model.training_edges
    return [edges[name] for name in model.batch]


def refuse_no_data(owner: str, argument: str) -> NoReturn:
    """Raises a ValueError for missing data."""
    raise ValueError(f"{owner} got no data for {argument}: expected {_EXPECTED}.")


def _count_kept(count: int, split: float) -> int:
    """Returns the number of examples that Keras uses for training rather than validation."""
    return math.floor(count * (1 - split))


def _learn_names(model, parts: dict[str, Any]) -> None:
    """Gives a model its class names and, if the model has not learned units, its column names."""
    edges = model.edges | model.training_edges
    for name, part in parts.items():
        named = getattr(edges[name], "adapted", True) or edges[name].columns
        if not named and is_table(part):
            edges[name].name_columns(part.columns)
    labels = next((parts[name] for name in parts if isinstance(edges[name], Labels)), None)
    if labels is not None and not model.class_names:
        _learn_classes(model, _names_in(labels))


def _learn_classes(model, names) -> None:
    """Gives a model the names of its classes, if the number of names matches.

    Args:
        model: `GenerativeModel`.
        names: Names in order, such as the class names of a source, or None if the data has no
            names.

    Raises:
        ValueError: If the names differ from the names that the model knows.
    """
    known = model.class_names
    # Labels from a data source may have names that differ from the model's names.
    if names is None or len(names) != model.named_classes or tuple(names) == known:
        return
    if known:
        raise ValueError(
            f"The classes of the data are {', '.join(names)}, but the model's classes are "
            f"{', '.join(known)}: read the data with classes=model.class_names, or call "
            "model.name_classes if the classes are new."
        )
    model.name_classes(names)


def _names_in(labels) -> list[str] | None:
    """Returns the names in an array or a list of texts, in order; None for other labels."""
    values = np.asarray(labels)
    if values.dtype.kind not in "OU" or not all(isinstance(each, str) for each in values.flat):
        return None
    return sorted_names(values.tolist())


@runtime_checkable
class Batched(Protocol):
    """An object that, like `keras_gen.data.Source`, yields batches of its examples."""

    def __len__(self) -> int: ...

    def stream(self, batch_size: int, seed: int, start: int) -> tf.data.Dataset:
        """Returns an infinite stream of shuffled batches."""

    def batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns batches that contain each example once, in order."""


# The first type that fits is used; all other data is treated as arrays.
_KINDS: tuple[tuple[type, Any], ...] = (
    (Batched, Sourced),
    (tf.data.Dataset, Batches),
    (tf.distribute.DistributedDataset, FitData),
    (keras.utils.PyDataset, PyBatches),
    (Iterator, Generator),
)


def fit_data(
    model, owner: str, x, y=None, learns: bool = False, edges: list[Edge] | None = None
) -> FitData:
    """Returns the data of a call as the matching `FitData`.

    Args:
        model: `GenerativeModel`.
        owner: Name of the call that receives the data, used in messages.
        x: Data as passed to `fit`.
        y: Additional parts if `x` is an array.
        learns: Whether the model learns the names of columns and classes from the data.
        edges: Edges for the parts, in order. If None, the model's training edges are used.

    Raises:
        ValueError: If arrays are invalid, or if their column or class names differ from the names
            that the model knows.
    """
    if learns and hasattr(x, "class_names"):
        _learn_classes(model, x.class_names)
    convert = partial(_with_arrays, model, owner, learns, edges)
    for known, kind in _KINDS:
        if isinstance(x, known):
            return kind(owner, x, y, convert)
    arrays = Arrays(model, owner, x, y, learns, edges)
    return arrays.as_source() if arrays.lose_digits else arrays
