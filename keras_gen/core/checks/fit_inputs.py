"""What `fit` and `evaluate` are given: by name, refused where it cannot be right, and looked at."""

import contextlib
import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_integer, checked_number, refuse_masked
from keras_gen.core.checks.step_checks import require
from keras_gen.core.distribution.replicas import replica_count
from keras_gen.core.distribution.strategies import is_chief
from keras_gen.core.kinds_of_data.kind_of_data import is_table
from keras_gen.core.kinds_of_data.table_data import StandardizedVectors, Vectors
from keras_gen.core.kinds_of_data.waveform_data import Sounds
from keras_gen.data.source import Source
from keras_gen.data.transforms.class_names import sorted_names
from keras_gen.files.sounds import of_one_length
from keras_gen.messages import warn

USUAL_BATCH = 32  # as in Keras
TARGET = "target"  # name of the examples that are reconstructed, if they are not x
_LOOKED_AT = 256  # examples of arrays
_ENOUGH_ROWS = 20  # of which a column repeats values
_LEAST = {
    "batch_size": 1,
    "epochs": 1,
    "initial_epoch": 0,
    "steps": 1,
    "steps_per_epoch": 1,
    "validation_batch_size": 1,
    "validation_steps": 1,
}
_DATASETS = (tf.data.Dataset, tf.distribute.DistributedDataset, keras.utils.PyDataset)
_KINDS = "arrays, a tf.data.Dataset, a keras.utils.PyDataset, or a generator of batches"


def by_name(method: Callable, args: tuple, kwargs: dict) -> dict[str, Any]:
    """Returns the arguments of a call by name, those that were given; a TypeError for others."""
    try:
        bound = inspect.signature(method).bind(*args, **kwargs)
    except TypeError as error:
        name = method.__name__
        raise TypeError(f"{name} takes the arguments of keras.Model.{name}: {error}.") from None
    arguments = dict(bound.arguments)
    return arguments | arguments.pop("kwargs", {})


def parts_together(batch: tuple, args: tuple) -> tuple:
    """Returns positional arguments of `fit` in which arrays after the second are a part of y.

    Keras takes x and y; a model of three parts takes `fit(source, labels, target)` too.
    """
    count = len(batch)
    if count < 3 or len(args) < count or not hasattr(args[2], "__len__"):
        return args
    return (args[0], tuple(args[1:count]), *args[count:])


@runtime_checkable
class Batched(Protocol):
    """What gives batches of its examples, as `keras_gen.data.Source` does."""

    def __len__(self) -> int: ...

    def stream(self, batch_size: int, seed: int, start: int) -> tf.data.Dataset:
        """Shuffled batches without end."""

    def batches(self, batch_size: int) -> tf.data.Dataset:
        """All examples once, in order."""


def batch_sources(arguments: dict[str, Any], seed: int) -> None:
    """Replaces sources in the arguments of `fit` by batches of them: shuffled, but for validation.

    An epoch has as many whole batches as the source; what is left begins the next one. An epoch
    that is not the first begins where an unbroken training would be.
    """
    _refuse_numbers(arguments)
    source = arguments.get("x")
    size = arguments.get("batch_size") or USUAL_BATCH
    if isinstance(source, Batched):
        arguments.pop("batch_size", None)
        size = min(size, len(source))
        if arguments.pop("shuffle", True):
            steps = arguments.get("steps_per_epoch") or len(source) // size
            arguments["steps_per_epoch"] = steps
            start = arguments.get("initial_epoch", 0) * steps
            arguments["x"] = source.stream(size, seed=seed, start=start)
        else:
            arguments["x"] = source.batches(size)
    held_out = arguments.get("validation_data")
    if isinstance(held_out, Batched):
        size = arguments.pop("validation_batch_size", None) or size
        arguments["validation_data"] = held_out.batches(size)


def batch_evaluated(arguments: dict[str, Any]) -> None:
    """Replaces a source in the arguments of `evaluate` by its batches in order."""
    _refuse_numbers(arguments)
    source = arguments.get("x")
    if isinstance(source, Batched):
        arguments["x"] = source.batches(arguments.pop("batch_size", None) or USUAL_BATCH)


def name_classes(model, arguments: dict[str, Any]) -> None:
    """Lets a model know the names of its classes: those of a source, or of labels that are texts.

    Args:
        model: A `GenerativeModel`.
        arguments: Those of `fit`, by name.

    Raises:
        ValueError: If it knows other names.
    """
    names = getattr(arguments.get("x"), "class_names", None)
    known = model.class_names
    if names is None and not known:
        names = _names_in(arguments.get("y"))
    # A source may have names of other labels than those that the model takes.
    if names is None or len(names) != model.named_classes or tuple(names) == known:
        return
    if known:
        raise ValueError(
            f"The classes of the data are {', '.join(names)}, and those of the model "
            f"{', '.join(known)}: read the data with classes=model.class_names, or call "
            "model.name_classes if they are new ones."
        )
    model.name_classes(names)


def _names_in(labels) -> list[str] | None:
    """The names in an array or list of texts, in order; None for other labels."""
    if labels is None or is_dataset(labels) or isinstance(labels, Mapping | tuple):
        return None
    values = np.asarray(labels)
    if values.dtype.kind not in "OU" or not all(isinstance(each, str) for each in values.flat):
        return None
    return sorted_names(values.tolist())


@contextlib.contextmanager
def edges_undone(model, trains: bool):
    """Within, a call may change edges, their names, and their units; it is undone if it fails.

    Args:
        model: A `GenerativeModel`.
        trains: Whether it is `fit`, which is undone unless a step was taken.
    """
    before = [(edges, dict(edges)) for edges in (model.edges, model.training_edges)]
    own = [edge for _, edges in before for edge in edges.values() if hasattr(edge, "adapted")]
    units = [(edge, edge.columns, edge.get_weights()) for edge in own]
    step = int(model.step.numpy())
    done = False
    try:
        yield
        done = True
    finally:
        if trains:
            done = int(model.step.numpy()) != step
        if not done:
            for edge, columns, weights in units:
                edge.columns = columns
                edge.set_weights(weights)
            for edges, old in before:
                _restore_edges(model, edges, old)


def _restore_edges(model, edges: dict, old: dict) -> None:
    """Gives a model the edges that it had before, and drops steps that have read others."""
    changed = [name for name, edge in edges.items() if edge is not old.get(name)]
    for name in changed:
        if name in old:
            edges[name] = old[name]
        else:
            edges.pop(name)
    if changed:
        model.train_function = model.test_function = None


def name_columns(model, arguments: dict[str, Any]) -> None:
    """Lets edges that standardize know the columns of tables of pandas, in the first training.

    Args:
        model: A `GenerativeModel`.
        arguments: Those of `fit`, by name.
    """
    edges = model.edges | model.training_edges
    parts = in_order((arguments.get("x"), arguments.get("y")))
    for name, part in zip(model.batch, parts, strict=False):
        if is_table(part) and not getattr(edges[name], "adapted", True):
            edges[name].columns = tuple(map(str, part.columns))


def as_arrays(model, arguments: dict[str, Any]) -> None:
    """Replaces tables and columns of pandas, and texts, in the arguments of `fit` by arrays.

    Args:
        model: A `GenerativeModel`, whose edges make texts and rows numbers.
        arguments: Those of `fit` or `evaluate`, by name.
    """
    edges = model.edges | model.training_edges
    of_batch = [edges[name] for name in model.batch]
    arguments["x"] = _plain(arguments.get("x"), of_batch)
    if arguments.get("y") is not None:
        arguments["y"] = _plain(arguments["y"], of_batch[1:] or of_batch)
    held_out = arguments.get("validation_data")
    if isinstance(held_out, list | tuple) and held_out:
        x, *others = held_out
        others = [_plain(each, of_batch[1:] or of_batch) for each in others]
        arguments["validation_data"] = (_plain(x, of_batch), *others)


def keep_digits(model, arguments: dict[str, Any]) -> None:
    """Replaces arrays whose digits float32 would lose by a source: Keras casts only arrays.

    Args:
        model: A `GenerativeModel`, whose edges standardize in float64.
        arguments: Those of `fit` or `evaluate`, by name.
    """
    held_out = arguments.get("validation_data")
    if isinstance(held_out, list | tuple):
        arguments["validation_data"] = _exact(model, *held_out) or held_out
    source = _exact(model, arguments.get("x"), arguments.get("y"))
    if source is None:
        return
    if arguments.get("validation_split") and held_out is None:
        count = _count_kept(len(source), arguments.pop("validation_split"))
        arguments["validation_data"] = source.select(slice(count, None))
        source = source.select(slice(count))
    arguments["x"] = source
    arguments["y"] = None


def _exact(model, *data) -> Source | None:
    """A source of arrays, if an edge says that float32 would lose their digits."""
    if any(is_dataset(part) or isinstance(part, Mapping) for part in data):
        return None
    edges = model.edges | model.training_edges
    parts = in_order(list(data))
    pairs = zip(model.batch, parts, strict=False)
    if any(hasattr(edges[name], "adapted") and edges[name].loses(part) for name, part in pairs):
        return Source(tuple(parts) if len(parts) > 1 else parts[0])
    return None


def _plain(data, edges: list):
    """Arrays of what was given for the edges, in order; a dict as it is."""
    if is_dataset(data) or isinstance(data, Mapping):
        return data
    texts = isinstance(data, list) and bool(data) and isinstance(data[0], str)
    if isinstance(data, list | tuple) and not texts:
        if isinstance(edges[0], Sounds):
            of_one_length(data)
        rest = [*edges, *[edges[-1]] * len(data)]
        return type(data)(_plain(each, [edge]) for each, edge in zip(data, rest, strict=False))
    edge = edges[0]
    array = np.asarray(data) if texts else edge.as_array(data)
    kind = getattr(getattr(array, "dtype", None), "kind", None)
    of_texts = edge.spec().dtype == tf.string or bool(getattr(edge, "names", ()))
    if kind in ("O", "U", "S") and of_texts:
        return edge.prepare(array.astype(str)).numpy()
    return array


def is_dataset(x) -> bool:
    """Whether x gives whole batches, so that `fit` neither divides nor shuffles it."""
    return isinstance(x, (*_DATASETS, Iterator))


def refuse_arguments(name: str, arguments: dict[str, Any]) -> None:
    """Refuses numbers that make no sense, weights of examples, and no data.

    Args:
        name: Name of the class.
        arguments: Those of `fit` or `evaluate`, by name.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If anything else cannot be right.
    """
    _refuse_numbers(arguments)
    split = arguments.get("validation_split") or 0
    if checked_number("validation_split", split, minimum=0, maximum=1) == 1:
        raise ValueError("validation_split is 1: expected a fraction below 1.")
    for weights in ("sample_weight", "class_weight"):
        if arguments.get(weights) is not None:
            raise ValueError(
                f"{name} got {weights}, which its losses do not read: draw examples as "
                "often as they are to count (keras_gen.data.weighted_stream)."
            )
    steps = arguments.get("steps_per_epoch", arguments.get("steps"))
    refuse_data(name, "x", arguments.get("x"), steps)
    if arguments.get("y") is not None:
        refuse_data(name, "y", arguments["y"], None)
    _refuse_lengths(name, [*_arrays(arguments["x"]), *_arrays(arguments.get("y"))])
    if arguments.get("validation_data") is not None:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(arguments["validation_data"])
        given = dict(x=x, y=y, sample_weight=weights, steps=arguments.get("validation_steps"))
        refuse_arguments(f"validation_data of {name}", given)


def _refuse_numbers(arguments: dict[str, Any]) -> None:
    for argument, least in _LEAST.items():
        if arguments.get(argument) is not None:
            checked_integer(argument, arguments[argument], least)


def refuse_data(name: str, argument: str, data, steps: int | None) -> None:
    """Raises a ValueError for what holds no examples, or examples without end.

    Args:
        name: Name of the class.
        argument: Name of the argument.
        data: Its value.
        steps: Steps in an epoch, if they were given.
    """
    if isinstance(data, tf.data.Dataset):
        endless = data.cardinality() == tf.data.INFINITE_CARDINALITY
        if endless and steps is None:
            raise ValueError(
                f"{name} got a dataset without end as {argument}, and so an epoch would never "
                "end: give the number of its steps, such as steps_per_epoch=100."
            )
    if is_dataset(data):
        return
    if type(data).__module__.startswith("h5py") and isinstance(data, Mapping):
        first = next(iter(data), "x") if data else "x"
        raise ValueError(
            f"{name} got an h5py.{type(data).__name__} as {argument}: expected {_KINDS}. Give one "
            f"of its datasets, such as file['{first}']."
        )
    arrays = _arrays(data)
    if not arrays:
        raise ValueError(f"{name} got no data as {argument}: expected {_KINDS}.")
    for array in arrays:
        _refuse_array(name, argument, array)


def _arrays(data) -> list:
    """The arrays that were given, in order; none of a dataset."""
    if is_dataset(data):
        return []
    return in_order(list(data.values()) if isinstance(data, Mapping) else data)


def _refuse_lengths(name, arrays):
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        found = " and ".join(map(str, lengths))
        raise ValueError(f"{name} got arrays of {found} examples: expected as many in each.")


def _refuse_array(name, argument, array):
    if isinstance(array, tf.RaggedTensor):
        raise ValueError(
            f"{name} got a ragged tensor as {argument}, whose examples differ in size: resize "
            "or pad them to one."
        )
    refuse_masked(argument, array)
    if not hasattr(array, "shape"):
        kind = type(array).__name__
        raise ValueError(f"{name} got {argument} of the type {kind}: expected {_KINDS}.")
    kind = getattr(getattr(array, "dtype", None), "kind", "a number's")
    if kind in "OUS":
        texts = kind in "US" or any(isinstance(each, str) for each in np.ravel(array)[:1])
        what = "texts" if texts else "Python objects, which do not stack"
        way_out = "; np.unique(labels, return_inverse=True)[1] numbers classes" if texts else ""
        raise ValueError(
            f"{name} got an array of {what} as {argument}: expected numbers{way_out}."
        )
    if not np.shape(array):
        raise ValueError(f"{name} got one number as {argument}: expected {_KINDS}.")
    if not all(np.shape(array)):
        raise ValueError(f"{name} got no examples: an array of the data is empty.")


# The parts of a batch --------------------------------------------------------------------------


def in_order(data) -> list:
    """Returns the parts of nested tuples and lists in order, without those that are None."""
    if data is None:
        return []
    if not isinstance(data, list | tuple):
        return [data]
    return [part for each in data for part in in_order(each)]


def named_parts(model, data) -> dict[str, Any]:
    """Names the parts of a batch; labels of a model that takes none are left out.

    Args:
        model: A `GenerativeModel`; its `batch` names the parts in order, the first is x. It has
            this as its method.
        data: Tensors or arrays, in tuples in this order, or in a dict by these names.

    Returns:
        The parts by the names of `batch`; further examples besides x have the name `target`.

    Raises:
        ValueError: If a part is missing or unknown, or there are too many.
    """
    name = type(model).__name__
    batch = model.batch
    edges = model.edges | model.training_edges
    expected = ", ".join(f"{part} ({edges[part].name})" for part in batch)
    parts = in_order(data)
    if any(isinstance(part, Mapping) for part in parts):
        found = sorted(key for part in parts if isinstance(part, Mapping) for key in part)
        aliases = {edges[part].name: part for part in batch} | {part: part for part in batch}
        named = {aliases.get(key, key): value for key, value in parts[0].items()}
        if len(parts) > 1 or named.keys() != set(batch):
            raise ValueError(
                f"{name} trains on {expected}, but got the names {', '.join(found)}: give one "
                "dict of these names, or a tuple in this order."
            )
        return {part: named[part] for part in batch}
    most = max(2, len(batch))
    # Keras passes weights of examples as the third of three.
    weights = isinstance(data, tuple) and len(data) > most and data[-1] is not None
    if weights or not len(batch) <= len(parts) <= most:
        raise ValueError(
            f"{name} trains on {expected}, but got {len(parts)} arrays in a batch: give fit "
            f"{len(batch)}, without sample weights, and stack examples into one array."
        )
    named = dict(zip(batch, parts, strict=False))
    for further in parts[len(batch) :]:
        if not _are_labels(further, parts[0]):
            named[TARGET] = further
    return named


def with_examples(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns a batch of one of several replicas, which has an example in it at least.

    Networks end in errors of other kinds, or the process, where they get none.
    """
    sentence = (
        f"The last batch has fewer examples than there are replicas, {replica_count()}: drop it, "
        "or choose another batch size."
    )
    found = {}
    for name, values in batch.items():
        enough = require(tf.shape(values)[0] > 0, sentence)
        with tf.control_dependencies([enough]):
            found[name] = tf.identity(values)
    return found


def _are_labels(values, x) -> bool:
    """Whether what comes with x has fewer axes, or is a column of integers."""
    shape = tf.TensorShape(values.shape)
    rank = tf.TensorShape(x.shape).rank
    if shape.rank is None or rank is None:
        return False
    return shape.rank < rank or (shape[1:] == [1] and tf.as_dtype(values.dtype).is_integer)


# The first batch -------------------------------------------------------------------------------


def first_batch(x, y=None) -> tuple[Any, Any]:
    """Looks at the first batch of what `fit` was given.

    Returns:
        The batch, or None where it cannot be seen; and x, to be used in its place.

    Raises:
        ValueError: If there is no batch.
    """
    if isinstance(x, Iterator):
        first = _first_of(x)
        return first, _tuples(itertools.chain([first], x))
    if isinstance(x, tf.data.Dataset):
        return _first_of(iter(x.take(1))), x
    if isinstance(x, keras.utils.PyDataset):
        count = 1 if x.num_batches is None else x.num_batches
        return _first_of(x[number] for number in range(count)), x
    if isinstance(x, _DATASETS):
        return None, x
    return tf.nest.map_structure(lambda a: None if a is None else a[:_LOOKED_AT], (x, y)), x


def _first_of(batches: Iterator):
    """The first batch; a ValueError if there is none, for Keras would end in silence."""
    for batch in batches:
        return batch
    raise ValueError(
        "The data hold no batch: expected at least one; drop_remainder=True drops the only batch "
        "of few examples."
    )


def _tuples(batches) -> Iterator:
    """Batches as Keras wants them of a generator: in tuples, without masked values."""
    for batch in batches:
        for part in tf.nest.flatten(batch):
            refuse_masked("A batch", part)
        yield batch if isinstance(batch, tuple) else (batch,)


def look_at_first_batches(model, arguments: dict[str, Any]) -> None:
    """Lets the edges of a model see what the data begin with, and recognize floats up to 255.

    Args:
        model: A `GenerativeModel`, whose `training_edges` change.
        arguments: Those of `fit` or `evaluate`, by name; a generator is replaced.

    Raises:
        ValueError: If the floats of `validation_data` have another range than those of x, or its
            first batch does not fit the edges, which Keras would find out after an epoch.
    """
    before = model.edges | model.training_edges
    first, arguments["x"] = first_batch(arguments["x"], arguments.get("y"))
    seen = _seen(model, first)
    if arguments.get("validation_data") is not None:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(arguments["validation_data"])
        first, x = first_batch(x, y)
        arguments["validation_data"] = (x, y)
        others = _seen(model, first)
        _refuse_held_out(model, first, seen | others)
        for name in seen.keys() & others.keys():
            if seen[name] != others[name]:
                raise ValueError(
                    f"{name} of validation_data has another range than that of the training: "
                    f"expected both as {seen[name].expected()}."
                )
        seen = others | seen
    changed = {name: edge for name, edge in seen.items() if edge != before[name]}
    if not changed:
        return
    model.training_edges.update(changed)
    model.train_function = model.test_function = None  # which have read the edges
    if arguments.get("verbose", 1) and is_chief():
        for name, edge in changed.items():
            print(f"{name}: taken as {edge.expected()}")


def _refuse_held_out(model, first, seen: dict) -> None:
    """Refuses a first batch for validation that does not fit the edges, before any training."""
    if first is None:
        return
    edges = model.edges | model.training_edges | seen
    for name, part in model.named_parts(first).items():
        if name in edges:
            edges[name].prepare(part)


def _seen(model, first) -> dict:
    """The edges of floats, after they have seen a first batch."""
    found: dict = {}
    if first is None:
        return found
    edges = model.edges | model.training_edges
    for name, part in model.named_parts(first).items():
        refuse_masked(name, part)
        edge = edges[name].seen(part) if name in edges else None
        if edge is not None:
            found[name] = edge
    return found


def warn_of_few_values(model, arguments: dict[str, Any]) -> None:
    """Warns, before the first training, of columns that repeat values and so have no density.

    Args:
        model: A `GenerativeModel`; its `log_prob` of such columns may have no upper bound.
        arguments: Arguments of `fit`, by name; a generator is replaced.
    """
    edge = model.edges["x"]
    if int(model.step.numpy()) or not isinstance(edge, Vectors | StandardizedVectors):
        return
    first, arguments["x"] = first_batch(arguments["x"], arguments.get("y"))
    if first is None:
        return
    rows = np.reshape(model.named_parts(first)["x"], [-1, edge.shape[-1]])
    if len(rows) < _ENOUGH_ROWS:
        return
    names = getattr(edge, "columns", ()) or range(len(rows.T))
    counts = {name: len(np.unique(values)) for name, values in zip(names, rows.T, strict=True)}
    few = [
        f"{count} in column {name}" for name, count in counts.items() if 4 * count <= len(rows)
    ]
    if few:
        warn(
            f"{type(model).__name__}.log_prob has no upper bound where values repeat, and the "
            f"number of different values in {len(rows)} rows is {', '.join(few)}: spread these "
            "values with keras_gen.data.NormalScores, or leave the columns out."
        )


# The units of the data ----------------------------------------------------------------------------


def adapt_edges(model, arguments: dict[str, Any]) -> None:
    """Lets edges that standardize know the data, once: before the first training.

    Args:
        model: A `GenerativeModel`.
        arguments: Those of `fit`, by name; a generator is replaced.

    Raises:
        ValueError: If the data are refused, or are distributed.
    """
    edges = model.edges | model.training_edges
    waiting = [name for name in model.batch if not getattr(edges[name], "adapted", True)]
    if not waiting:
        return
    if isinstance(arguments["x"], tf.distribute.DistributedDataset):
        raise ValueError(
            "The data are distributed, and their means are not known yet: call "
            f"model.edges['{waiting[0]}'].adapt([examples]) first."
        )
    batches = _training_batches(arguments)
    for name in waiting:
        edges[name].adapt(model.named_parts(batch)[name] for batch in batches())


def _training_batches(arguments: dict[str, Any]) -> Callable[[], Iterator]:
    """A function that goes through an epoch's data; those of a generator are kept for `fit`."""
    x = arguments["x"]
    y = arguments.get("y")
    steps = arguments.get("steps_per_epoch")
    if isinstance(x, Iterator):
        first = list(itertools.islice(x, steps))
        arguments["x"] = _tuples(itertools.chain(first, x))
        return lambda: iter(first)
    if isinstance(x, keras.utils.PyDataset):
        return lambda: (x[number] for number in range(steps or len(x)))
    if isinstance(x, tf.data.Dataset):
        return lambda: iter(x.take(-1 if steps is None else steps))
    count = _count_kept(len(_arrays(x)[0]), arguments.get("validation_split") or 0)
    parts = tf.nest.map_structure(lambda a: None if a is None else a[:count], (x, y))
    return lambda: iter([parts])


def _count_kept(count: int, split: float) -> int:
    """How many examples Keras keeps for training: those that come last are for validation."""
    return math.floor(count * (1 - split))
