"""A finite set of examples with random access, and streams that resume exactly."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.arguments import (
    checked_array,
    checked_integer,
    checked_names,
    checked_number,
    checked_seed,
    refuse_masked,
    shown,
)
from keras_gen.checked_arguments import checked_by_type

# Numbers of examples for which the permutations of RandomIndexShuffle are not uniform.
_FEW = 64
# Keys for the different uses of a seed, so that streams with the same seed never coincide.
SHUFFLE, AUGMENT, LEFT, RIGHT, AUGMENT_BATCH, WEIGHTED = range(6)

MEMORY_LIMIT = 4 * 2**30
"""Default maximum number of bytes of decoded examples in memory."""
_ALIGNMENT = 64  # alignment of a tensor's memory, in bytes
_COLLECTED = 100  # number of decoded examples that are added to the other examples at once


class Source:
    """A finite, random-access set of examples in host memory.

    Args:
        tensors: An array `[n, ...]`, or a tuple or dict of arrays with the same `n`, such as uint8
            images `[n, height, width, channels]` and int64 labels `[n]`.
        decode: TensorFlow function that maps a stored example to the returned example; for example,
            it may decode the bytes of an image file. Use such a function for sets that are too
            large to store decoded.
        origin: Single line that describes the origin of the examples.
        class_names: Names of the classes by label; None if the classes have no names.

    Raises:
        TypeError: If an array contains Python objects, or if a DataFrame is passed.
        ValueError: If there are no arrays or no examples, if an array has no axes, or if `n`
            differs between arrays.

    Example:
        >>> source = Source(np.zeros([10, 28, 28, 1], "uint8"))
        >>> next(iter(source.stream(4, seed=1))).shape
        TensorShape([4, 28, 28, 1])
    """

    def __init__(
        self,
        tensors: Any,
        decode: Callable[[Any], Any] | None = None,
        origin: str = "arrays in memory",
        class_names: Sequence[str] | None = None,
    ):
        if isinstance(tensors, list):
            tensors = _as_array(tensors)
        self._tensors = tf.nest.map_structure(_stacked, tensors)
        self._decode = decode
        self.origin = checked_by_type("origin", str, origin)
        if class_names is not None:
            class_names = checked_names("class_names", class_names)
        self.class_names = class_names
        lengths = sorted({len(tensor) for tensor in tf.nest.flatten(self._tensors)})
        if len(lengths) != 1:
            raise ValueError(
                f"A Source got arrays of lengths {lengths}: expected at least one array, and the "
                "same length for all arrays."
            )
        self._size = lengths[0]
        if not self._size:
            raise ValueError("A Source got no examples: expected at least one example.")

    def __len__(self) -> int:
        """Returns the number of examples."""
        return self._size

    def __repr__(self) -> str:
        """Returns a description with the size, the specification, and the origin."""
        return f"Source({self._size} examples of {self.element_spec}, {self.origin})"

    @property
    def element_spec(self) -> Any:
        """`tf.TensorSpec`s of a decoded example."""
        return self._in_order().element_spec

    def checksum(self) -> str:
        """Returns a checksum of the stored arrays, or of encoded images and paths."""
        found = 0
        for tensor in tf.nest.flatten(self._tensors):
            array = np.ascontiguousarray(tensor.numpy())
            if array.dtype == object:
                for text in array.flat:
                    found = zlib.crc32(text + b"\0", found)
            else:
                found = zlib.crc32(array.data, found)
        return f"{found:08x}"

    def take(self, count: int) -> Source:
        """Returns a source of the first `count` examples, or of all examples if there are fewer."""
        return self.select(slice(checked_integer("count", count, minimum=1)))

    def select(self, index: Any, origin: str | None = None) -> Source:
        """Returns a source of selected examples, without decoding them.

        Args:
            index: Slice, indices, or mask, as in NumPy indexing along the first axis.
            origin: Origin of the selected examples. If None, the origin of this source is used.

        Raises:
            IndexError: If `index` does not select examples along the first axis.
            ValueError: If `index` selects no examples.

        Example:
            >>> train = source.select(np.arange(len(source)) % 10 != 0)
        """
        try:
            indices = np.arange(self._size)[index]
        except IndexError:
            indices = None
        if np.ndim(indices) != 1:
            raise IndexError(
                f"index is {shown(index)}: expected a slice, indices from 0 to {self._size - 1}, "
                f"or a mask with {self._size} values."
            )
        stored = self._stored(indices)
        return Source(stored, self._decode, origin or self.origin, self.class_names)

    def some(self, count: int, rng: np.random.Generator) -> Source:
        """Returns a source of `count` distinct random examples, or of all if there are fewer."""
        count = checked_integer("count", count, minimum=1)
        return self.select(rng.permutation(len(self))[:count])

    def split(self, fraction: float, seed: int = 0) -> tuple[Source, Source]:
        """Returns two sources: the remaining examples, and a random fraction that is held out.

        Args:
            fraction: Fraction of the examples to hold out, above 0 and below 1. The resulting
                number of examples is rounded.
            seed: Nonnegative integer.

        Raises:
            TypeError: If `seed` is not an integer (for example, if it is a second fraction).
            ValueError: If one of the sources would be empty.

        Example:
            >>> train, test = source.split(0.1, seed=0)
            >>> train, validation = train.split(0.1, seed=0)
        """
        fraction = checked_number("fraction", fraction, minimum=0, maximum=1)
        if isinstance(seed, float):
            raise TypeError(
                f"seed is {seed:g}: expected an integer. To hold out two parts, split the first "
                "source again."
            )
        count = round(fraction * self._size)
        if not 0 < count < self._size:
            raise ValueError(
                f"fraction is {fraction:g}, which holds out {count} of {self._size} examples: "
                "expected at least one example in each part."
            )
        order = np.random.default_rng(checked_seed(seed)).permutation(self._size)
        return self.select(np.sort(order[count:])), self.select(np.sort(order[:count]))

    def map(self, function: Callable[..., Any]) -> Source:
        """Applies `function` to each example once, and stores the results in memory.

        Use this method for operations that are the same in every epoch, such as padding; otherwise,
        use `stream(augment=...)`.

        Raises:
            TypeError: If `function` returns nothing.
            ValueError: If the results of `function` differ in shape.
        """
        try:
            examples = self._in_order().map(function, num_parallel_calls=tf.data.AUTOTUNE)
        except tf.errors.InvalidArgumentError as error:
            if "output_shapes" not in error.message:
                raise
            raise TypeError(
                "The function passed to source.map returned nothing: expected a tensor, or a "
                "tuple or dict of tensors."
            ) from None
        mapped = _collect(examples, self._size).tensors()
        return Source(mapped, origin=self.origin, class_names=self.class_names)

    def gather(self, index: tf.Tensor) -> Any:
        """Returns the decoded examples at indices `[count]`, stacked; also works inside a graph."""
        stored = self._stored(index)
        if self._decode is None:
            return stored
        with tf.init_scope():
            spec = self.element_spec
        return tf.map_fn(self._decode, stored, fn_output_signature=spec)

    def arrays(
        self,
        seed: int = 0,
        augment_batch: Callable[[Any, Any], Any] | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> Any:
        """Returns all decoded examples as NumPy arrays `[n, ...]`, in the structure of an example.

        `augment_batch` is applied to 1,000 examples at a time, with `seed` as in `batches`.

        Raises:
            ValueError: If the examples are stored encoded, and would need more than `memory_limit`
                bytes when decoded.
        """
        checked_number("memory_limit", memory_limit, minimum=0)
        if self._decode is not None:
            self._require_memory(memory_limit)
        if augment_batch is not None:
            batches = self.batches(1000, seed, augment_batch=augment_batch).as_numpy_iterator()
            return tf.nest.map_structure(lambda *parts: np.concatenate(parts), *batches)
        if self._decode is not None:
            return _collect(self._in_order(), self._size).arrays()
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), self._tensors)

    def _require_memory(self, limit: int) -> None:
        specs = [
            spec for spec in tf.nest.flatten(self.element_spec) if spec.shape.rank is not None
        ]
        # Sides of unknown size count as 1.
        sizes = [math.prod(side or 1 for side in spec.shape) * spec.dtype.size for spec in specs]
        needed = self._size * sum(sizes)
        if needed > limit:
            raise ValueError(
                f"The decoded examples need {needed / 2**30:.3g} GiB ({self.origin}): expected at "
                f"most memory_limit={limit / 2**30:.3g} GiB. Use stream or batches, which decode "
                "one batch at a time, or increase memory_limit."
            )

    def batches(
        self,
        batch_size: int,
        seed: int = 0,
        augment: Callable[[Any, Any], Any] | None = None,
        augment_batch: Callable[[Any, Any], Any] | None = None,
    ) -> tf.data.Dataset:
        """Returns batches that contain each example once, in order; the last batch may be smaller.

        Args:
            batch_size: Number of examples in a batch, at least 1.
            seed: Seed for the augmentations.
            augment: Function applied to each example, as in `stream`. The function's seed depends
                only on `seed` and the example's index.
            augment_batch: Function applied to each batch, as in `stream`.
        """
        batch_size = checked_integer("batch_size", batch_size, minimum=1)
        examples = self._in_order(checked_seed(seed), augment)
        return finished(examples.batch(batch_size), seed, 0, augment_batch)

    def stream(
        self,
        batch_size: int,
        seed: int = 0,
        start: int = 0,
        augment: Callable[[Any, Any], Any] | None = None,
        augment_batch: Callable[[Any, Any], Any] | None = None,
    ) -> tf.data.Dataset:
        """Returns an infinite stream of shuffled batches.

        The batches are a function of (source, seed, position). Example number `p` of the stream is
        in epoch `p // n`, and each epoch is a different permutation. Nothing is buffered:
        `stream(start=k)` starts immediately, and equals `stream().skip(k)`.

        Args:
            batch_size: Number of examples in a *global* batch, from 1 to `len(self)`. Other numbers
                raise a ValueError.
            seed: Nonnegative integer.
            start: Number of batches already consumed.
            augment: TensorFlow function `augment(example, seed)` applied to each example, with a
                stateless int64 seed `[2]` that depends only on `seed` and `p`.
            augment_batch: Function applied in the same way to a whole global batch, which is faster
                than `augment`. Its seed depends only on `seed` and the index of the batch.

        Returns:
            A `tf.data.Dataset` of batches with static shapes. A distribution strategy gives each
            worker its slice of every global batch.
        """
        return self.shuffled(batch_size, checked_seed(seed), start, augment, augment_batch)

    def shuffled(
        self,
        batch_size: int,
        seed: int,
        start: int,
        augment: Callable[[Any, Any], Any] | None = None,
        augment_batch: Callable[[Any, Any], Any] | None = None,
    ) -> tf.data.Dataset:
        """Returns `stream` with a seed that is derived from any nonnegative integer."""
        batch_size = checked_integer("batch_size", batch_size, minimum=1)
        start = checked_integer("start", start, minimum=0)
        if batch_size > self._size:
            raise ValueError(
                f"batch_size is {batch_size}: expected at most {self._size}, the number of "
                f"examples ({self.origin}). Use a smaller batch or more data."
            )
        key = derive_seed(seed, SHUFFLE).astype(np.int64)

        def stored(position: tf.Tensor) -> Any:
            return self._stored(_shuffled(position, self._size, key))

        # If possible, whole batches are read at once, which is far faster.
        if augment is None and self._decode is None:

            def batch(number: tf.Tensor) -> Any:
                return stored(number * batch_size + tf.range(batch_size, dtype=tf.int64))

            numbers = tf.data.Dataset.counter(start)
            batches = numbers.map(
                tf.autograph.experimental.do_not_convert(batch),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
        else:
            positions = tf.data.Dataset.counter(start * batch_size)
            examples = self._read(positions, stored, seed, augment)
            batches = examples.batch(batch_size, drop_remainder=True)
        return finished(batches, seed, start, augment_batch)

    def _stored(self, index: Any) -> Any:
        return tf.nest.map_structure(lambda tensor: tf.gather(tensor, index), self._tensors)

    def _in_order(self, seed: int = 0, augment: Callable | None = None) -> tf.data.Dataset:
        return self._read(tf.data.Dataset.range(self._size), self._stored, seed, augment)

    def _read(
        self, positions: tf.data.Dataset, stored: Callable, seed: int, augment: Callable | None
    ) -> tf.data.Dataset:
        """Returns the examples at the given positions, decoded and augmented."""
        key = derive_seed(seed, AUGMENT).astype(np.int64)

        def read(position: tf.Tensor) -> Any:
            example = stored(position)
            if self._decode is not None:
                example = self._decode(example)
            if augment is not None:
                own_seed = tf.random.experimental.stateless_fold_in(key, position)
                example = augment(example, own_seed)
            return example

        if augment is not None:
            # The function is called once outside the graph, so that a mistake in it raises the
            # original error.
            with tf.device("CPU:0"):
                read(tf.constant(0, tf.int64))
        elif self._decode is None:
            read = tf.autograph.experimental.do_not_convert(read)
        return positions.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def derive_seed(seed: int, key: int, words: int = 2) -> np.ndarray:
    """Hashes a nonnegative seed, and a key for its purpose, to uint32 numbers `[words]`."""
    seed = checked_integer("seed", seed, minimum=0)
    return np.random.SeedSequence(seed, spawn_key=(key,)).generate_state(words)


def checked_labels(labels: Any) -> np.ndarray:
    """Returns the classes of examples as an array of integers `[n]`.

    Raises:
        TypeError: If the labels are not integers.
        ValueError: If the labels are not one-dimensional.
    """
    labels = checked_array("labels", labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"The labels have dtype {labels.dtype}: expected integers.")
    if labels.ndim != 1:
        raise ValueError(
            f"The labels have shape {labels.shape}: expected [n], one integer per example."
        )
    return labels


def checked_pairs(source: Source) -> Source:
    """Returns `source` if its elements are `(example, label)` pairs; otherwise raises a TypeError.

    Without this check, a dict would unpack to its keys, and swapped pairs would go unnoticed.
    """
    spec = source.element_spec
    if isinstance(spec, tuple) and len(spec) == 2 and isinstance(spec[1], tf.TensorSpec):
        label = spec[1]
        if label.dtype.is_integer and label.shape.rank == 0:
            return source
    raise TypeError(
        f"The examples are {spec} ({source.origin}): expected (example, label) with an integer "
        "label. Convert them with source.map."
    )


def on_first(function: Callable[[Any], Any], example: Any) -> Any:
    """Applies a function to an example, or to the first field of a tuple; rejects dicts."""
    if isinstance(example, tuple):
        return (on_first(function, example[0]), *example[1:])
    if isinstance(example, dict):
        raise TypeError(
            f"The example is a dict with the keys {', '.join(map(str, example))}: expected an "
            "array, or a tuple whose first field is augmented. Convert it to a tuple with "
            "source.map."
        )
    return function(example)


def finished(
    batches: tf.data.Dataset, seed: int, start: int, augment_batch: Callable | None
) -> tf.data.Dataset:
    """Augments whole batches, numbered from `start`, and prefetches them."""
    if augment_batch is not None:
        key = derive_seed(seed, AUGMENT_BATCH).astype(np.int64)

        def augmented(number: tf.Tensor, batch: Any) -> Any:
            return augment_batch(batch, tf.random.experimental.stateless_fold_in(key, number))

        batches = batches.enumerate(start).map(augmented, num_parallel_calls=tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE).with_options(_options())


def _as_array(value: Any) -> np.ndarray:
    if hasattr(value, "to_numpy") and hasattr(value, "columns"):
        raise TypeError(
            "A Source got a DataFrame, whose column names it would lose: expected arrays. Pass the "
            "DataFrame itself to fit and other methods, or an array such as frame.to_numpy()."
        )
    refuse_masked("An array of a Source", value)
    try:
        array = np.asarray(value)
        found = f"an array of objects of shape {array.shape}"
    except ValueError:  # NumPy does not stack arrays of different shapes
        array = None
        found = "examples of several shapes"
    if array is None or array.dtype == object:
        raise TypeError(
            f"The examples of a Source must stack into one array, but found {found}: resize the "
            "examples to one shape, pad sounds with zeros (keras_gen.data.fit_length), or pass "
            "encoded bytes and decode=."
        )
    return array


def _stacked(value: Any) -> tf.Tensor:
    if not isinstance(value, tf.Tensor):
        value = _as_array(value)
    if value.ndim == 0:
        raise ValueError(
            f"A Source stacks its examples on axis 0, but found the scalar {value!r}: expected "
            "an array of shape [n, ...]."
        )
    try:
        tf.as_dtype(value.dtype)
    except TypeError:
        raise TypeError(
            f"A Source got an array of dtype {value.dtype}: expected a dtype that TensorFlow "
            "supports, such as float64."
        ) from None
    with tf.device("CPU:0"):
        # For an array, `tf.identity` would make two copies instead of one.
        return tf.identity(value) if tf.is_tensor(value) else tf.constant(value)


def _shuffled(position: tf.Tensor, size: int, key: np.ndarray) -> tf.Tensor:
    """Returns the examples' indices at positions in a stream: one permutation per epoch."""
    epoch = position // size
    if size <= _FEW:

        def shuffled(own: tuple) -> tf.Tensor:
            number, place = own
            seed = tf.random.experimental.stateless_fold_in(key, number)
            noise = tf.random.stateless_uniform([size], seed, None, None, tf.int32)
            return tf.argsort(noise)[place]

        own = tf.reshape(epoch, [-1]), tf.reshape(position % size, [-1])
        index = tf.map_fn(shuffled, own, fn_output_signature=tf.int32)
        return tf.reshape(tf.cast(index, tf.int64), position.shape)
    seeds = tf.concat([tf.broadcast_to(key, [*epoch.shape, 2]), epoch[..., None]], -1)
    # tf.random.experimental.index_shuffle stops after 4 rounds, which leaves successive
    # permutations of 60,000 examples with a correlation of 0.9; 12 rounds remove it.
    index = tf.raw_ops.RandomIndexShuffle(
        index=position % size, seed=seeds, max_index=np.int64(size - 1), rounds=12
    )
    return tf.ensure_shape(index, position.shape)


class Stack:
    """Arrays that are filled in place, so that no example is held twice in memory.

    Args:
        size: Maximum number of examples.
    """

    def __init__(self, size: int):
        self.size = size
        self.filled = 0
        self._arrays: Any = None

    def add(self, examples: Any) -> None:
        """Appends examples: a tensor `[n, ...]`, or a tuple or dict of tensors."""
        if self._arrays is None:
            self._arrays = tf.nest.map_structure(self._empty, examples)
        begin = self.filled
        self.filled += len(tf.nest.flatten(examples)[0])
        for array, rows in zip(*map(tf.nest.flatten, (self._arrays, examples)), strict=True):
            if array.shape[1:] != rows.shape[1:]:
                raise _different_shapes([*array.shape[1:]], [*rows.shape[1:]])
            array[begin : self.filled] = rows.numpy()

    def arrays(self) -> Any:
        """Returns the examples that were added, as arrays in the structure of an example."""
        return tf.nest.map_structure(lambda array: array[: self.filled], self._arrays)

    def tensors(self) -> Any:
        """Returns the examples as tensors, which share their memory with the arrays."""
        return tf.nest.map_structure(_shared, self.arrays())

    def _empty(self, rows: tf.Tensor) -> np.ndarray:
        shape = [self.size, *rows.shape[1:]]
        dtype = np.dtype(rows.dtype.as_numpy_dtype)
        if dtype.kind == "O":
            return np.empty(shape, dtype)
        size = math.prod(shape) * dtype.itemsize
        memory = np.empty(size + _ALIGNMENT, "uint8")
        begin = -memory.ctypes.data % _ALIGNMENT
        return memory[begin : begin + size].view(dtype).reshape(shape)


def _shared(array: np.ndarray) -> tf.Tensor:
    if array.dtype.kind in "iuf":
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    with tf.device("CPU:0"):
        return tf.constant(array)  # copies, because DLPack does not support other types


def _collect(examples: tf.data.Dataset, size: int) -> Stack:
    stack = Stack(size)
    with tf.device("CPU:0"):
        try:
            for batch in examples.batch(_COLLECTED).with_options(_options()):
                stack.add(batch)
        except tf.errors.InvalidArgumentError as error:
            if not re.search(r"\[tensor\]: \[.*?\], \[batch\]: \[", error.message):
                raise
            # The examples are checked here, because the shapes in TensorFlow's error depend on the
            # order of its threads.
            _require_one_shape(examples)
            raise
    return stack


def _require_one_shape(examples: tf.data.Dataset) -> None:
    known = None
    for example in examples:
        shapes = [[*part.shape] for part in tf.nest.flatten(example)]
        known = known or shapes
        for first, other in zip(known, shapes, strict=True):
            if first != other:
                raise _different_shapes(first, other) from None


def _different_shapes(first: list, other: list) -> ValueError:
    return ValueError(
        f"The examples have different shapes, such as {first} and {other}: expected one shape. "
        "Resize or pad the examples."
    )


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    # Autotuning is disabled: it is slower here than one thread per core from the start, and may
    # delay the end of an iterator by up to a minute.
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return options
