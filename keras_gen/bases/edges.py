"""Edges: where data of one kind enter and leave a model.

An edge checks inputs, scales them for the networks, restores results to the form for people and
servers, and specifies the inputs of served signatures.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer
from keras_gen.data.transforms.characters import code_points
from keras_gen.data.transforms.tables import Column, RowVectors
from keras_gen.data.transforms.waveforms import mu_law_levels, mu_law_waveform
from keras_gen.data.transforms.words import WordCounts
from keras_gen.training.checks import require

# The brightest level of a first batch from which on floats are taken for levels.
DIMMEST = 16
PADDING = -1
"""What stands in a sequence of levels where there is nothing; it counts in no loss."""
# The fraction of a sound's samples at full scale from which on it is taken to be clipped.
CLIPPED = 0.01


class Edge:
    """Base of the edges. All have a `name`, under which clients know the data."""

    name: str
    # Whether a model gives back floats to who gave it floats, in place of the served form.
    keeps_floats = False
    # One that a client could send, `[1, ...]`, if zeros or empty strings are none.
    example: np.ndarray | None = None

    def prepare(self, values) -> tf.Tensor:
        """Checks values and converts them to the networks' form.

        Raises:
            TypeError: If the dtype is wrong.
            ValueError: If the shape or, in eager use and `fit`, a value is wrong.
        """
        raise NotImplementedError

    def seen(self, values) -> Edge | None:
        """Looks at the first batch of a training: the edge that takes its floats, or None.

        Warns if the values look as if they were meant for another range.
        """
        return None

    def restore(self, values: tf.Tensor) -> tf.Tensor | dict[str, tf.Tensor]:
        """Converts results to the served form; a dict if they are several tensors."""
        return values

    def spec(self) -> tf.TensorSpec:
        """The named specification of a served signature's input."""
        inner = self.inner_spec()
        return tf.TensorSpec(inner.shape, inner.dtype, name=self.name)

    def inner_spec(self) -> tf.TensorSpec:
        """The specification of what `prepare` returns."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Images(Edge):
    """Images: uint8 outside, float32 in a range inside.

    Args:
        shape: `(height, width, channels)`, None for any size; another shape for other 8-bit data.
        low: Value of the level 0.
        high: Value of the level 255.
        name: Name under which clients know them.
        float_levels: Whether floats are levels too, from 0 to 255.

    Example:
        >>> Images((2, 2, 1)).prepare(np.full([1, 2, 2, 1], 255, "uint8"))[0, 0, 0, 0]
        <tf.Tensor: shape=(), dtype=float32, numpy=1.0>
    """

    shape: tuple
    low: float = -1.0
    high: float = 1.0
    name: str = "images"
    float_levels: bool = False
    keeps_floats = True

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes uint8 in 0..255, or floats in the range, `[batch, *shape]`."""
        values = _shaped(tf.convert_to_tensor(values), self.shape, "Images")
        if values.dtype == tf.uint8:
            return self._scaled(values)
        if not values.dtype.is_floating:
            raise TypeError(
                f"Images have dtype {values.dtype.name}: expected {self.expected()}."
            )
        low, high = (0.0, 255.0) if self.float_levels else (self.low, self.high)
        values = tf.cast(values, tf.float32)
        values = _within(values, low, high, "Images", self.expected())
        return self._scaled(values) if self.float_levels else values

    def _scaled(self, levels):
        return tf.cast(levels, tf.float32) * ((self.high - self.low) / 255.0) + self.low

    def expected(self) -> str:
        """What `prepare` takes, in words."""
        if self.float_levels:
            return f"uint8 or floats in 0..255, which become [{self.low:g}, {self.high:g}]"
        return f"floats in [{self.low:g}, {self.high:g}] or uint8 in 0..255"

    @override
    def seen(self, values) -> Images | None:
        values = np.asarray(values)
        if not values.size or values.dtype.kind not in "uf":
            return None
        least = float(values.min())
        most = float(values.max())
        if values.dtype == np.uint8:
            if most == 1:
                warnings.warn(
                    "The images are uint8 of 0 and 1, which is nearly black: multiply them by 255.",
                    stacklevel=2,
                )
            return None
        if self.low < 0 <= least < most <= self.high:
            inside = f"[{self.low:g}, {self.high:g}]"
            warnings.warn(
                f"The images are floats from {least:g} to {most:g}, where 0 is taken as gray: "
                f"black is {self.low:g}; give uint8, or scale them to {inside}.",
                stacklevel=2,
            )
        levels = least >= 0 and self.high < most and DIMMEST <= most <= 255
        return dataclasses.replace(self, float_levels=levels)

    @override
    def restore(self, values):
        """Returns uint8 in 0..255, rounded."""
        scaled = (tf.cast(values, tf.float32) - self.low) * (255.0 / (self.high - self.low))
        return tf.cast(tf.clip_by_value(tf.round(scaled), 0.0, 255.0), tf.uint8)

    @override
    def spec(self):
        return tf.TensorSpec([None, *self.shape], tf.uint8, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.float32)


@dataclasses.dataclass(frozen=True)
class Levels(Edge):
    """Discrete images: integers outside, int32 inside, such as the 256 levels of gray.

    Args:
        shape: `(height, width, channels)`.
        levels: Number of levels, which are 0 to `levels` - 1.
        name: Name under which clients know them.
        dtype: Integer dtype outside; by default uint8, and int32 above 256 levels.

    Example:
        >>> Levels((1,), levels=2).prepare(np.array([[1]], "uint8"))
        <tf.Tensor: shape=(1, 1), dtype=int32, numpy=array([[1]], dtype=int32)>
    """

    shape: tuple
    levels: int = 256
    name: str = "images"
    dtype: str | None = None

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes integers `[batch, *shape]`."""
        subject = self.name.capitalize()
        values = _shaped(tf.convert_to_tensor(values), self.shape, subject)
        return _integers(values, 0, self.levels - 1, subject)

    @override
    def restore(self, values):
        rounded = tf.clip_by_value(tf.round(tf.cast(values, tf.float32)), 0.0, self.levels - 1.0)
        return tf.cast(rounded, self.spec().dtype)

    @override
    def spec(self):
        dtype = self.dtype or (tf.uint8 if self.levels <= 256 else tf.int32)
        return tf.TensorSpec([None, *self.shape], dtype, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.int32)


@dataclasses.dataclass(frozen=True)
class Labels(Edge):
    """Classes of examples: integers `[batch]`.

    Args:
        classes: Number of classes, which are 0 to `classes` - 1.
        unknown: Whether -1 is allowed too: an example without a label, as in scikit-learn, or any
            class where no label is given.
        name: Name under which clients know them.

    Example:
        >>> Labels(10).prepare([3, 9])
        <tf.Tensor: shape=(2,), dtype=int32, numpy=array([3, 9], dtype=int32)>
    """

    classes: int
    unknown: bool = False
    name: str = "labels"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes integers of any kind: `[batch]`, columns `[batch, 1]`, or scalars."""
        labels = tf.convert_to_tensor(values)
        way_out = "expected [batch]; of one-hot labels take np.argmax(labels, axis=-1)."
        if labels.shape.rank is None:
            # A step that was built for several shapes.
            columns = tf.reduce_prod(tf.shape(labels)[1:])
            labels = tf.reshape(labels, [-1, columns])
            sentence = f"Labels have {{}} columns: {way_out}"
            with tf.control_dependencies([require(columns == 1, sentence, columns)]):
                labels = labels[:, 0]
        elif labels.shape.rank == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        elif labels.shape.rank > 1:
            raise ValueError(f"Labels have shape {labels.shape}: {way_out}")
        return _integers(labels, -1 if self.unknown else 0, self.classes - 1, "Labels")

    @override
    def inner_spec(self):
        return tf.TensorSpec([None], tf.int32)


@dataclasses.dataclass(frozen=True)
class Waveforms(Edge):
    """Sound: float32 in [-1, 1], or int16, which is divided by 32,768.

    Args:
        samples: Samples of an example, None for any number.
        channels: Number of channels, such as 1.
        name: Name under which clients know it.
        multiple: What the number of samples must be a multiple of.

    Example:
        >>> Waveforms(2).prepare(np.array([[[0], [-32768]]], "int16"))[0, 1, 0]
        <tf.Tensor: shape=(), dtype=float32, numpy=-1.0>
    """

    samples: int | None = None
    channels: int = 1
    name: str = "waveforms"
    multiple: int = 1

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes int16, or floats in [-1, 1], `[batch, samples, channels]`."""
        shape = (self.samples, self.channels)
        values = _shaped(tf.convert_to_tensor(values), shape, "Waveforms")
        if self.multiple > 1:
            samples = tf.shape(values)[1]
            fits = samples % self.multiple == 0
            sentence = f"Waveforms have {{}} samples: expected a multiple of {self.multiple}."
            with tf.control_dependencies([require(fits, sentence, samples)]):
                values = tf.identity(values)
        return _amplitudes(values)

    @override
    def restore(self, values):
        """Returns float32, clipped to [-1, 1]."""
        return tf.clip_by_value(tf.cast(values, tf.float32), -1.0, 1.0)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.samples, self.channels], tf.float32)


@dataclasses.dataclass(frozen=True)
class MuLaw(Edge):
    """Sound of one channel: int16 or floats outside, inside int32 mu-law levels (`mu_law_levels`).

    Exact zeros before the first and after the last other sample of a recording are padding: inside
    they are -1, which counts in no loss. Zeros within are a level as others. A recording of zeros
    alone is all padding. The middle of no level is 0, so what `restore` returns becomes the same
    levels again.

    Args:
        samples: Samples of an example, None for any number.
        levels: Number of levels, an even one from 2 to 512: more than int16 tells apart where a
            sound is soft.
        name: Name under which clients know it.

    Example:
        >>> MuLaw(5).prepare(np.array([[[0], [9], [0], [-9], [0]]], "int16"))[0, :, 0].numpy()
        array([ -1, 129, 128, 126,  -1], dtype=int32)
    """

    samples: int | None = None
    levels: int = 256
    name: str = "waveforms"

    def __post_init__(self):
        if self.samples is not None:
            checked_integer("samples", self.samples, minimum=1)
        if checked_integer("levels", self.levels, 2, 512) % 2:
            raise ValueError(f"levels is {self.levels}: expected an even number such as 256.")

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes int16, or floats in [-1, 1], `[batch, samples, 1]`."""
        values = tf.convert_to_tensor(values)
        shape = values.shape
        if shape.rank == 2:
            raise ValueError(
                f"Waveforms have shape {shape}: expected [batch, samples, 1]; add the channel by "
                "waveforms[..., None]."
            )
        if shape.rank == 3 and shape[2] not in (1, None):
            raise ValueError(
                f"Waveforms have shape {shape}, which is {shape[2]} channels: expected 1; take one "
                "of them, or their mean."
            )
        values = _amplitudes(_shaped(values, (self.samples, 1), "Waveforms"))
        return tf.where(_live(values), mu_law_levels(values, self.levels), PADDING)

    @override
    def seen(self, values) -> None:
        """Warns if much of the sound is clipped."""
        values = np.asarray(values)
        if values.dtype != np.int16 and values.dtype.kind != "f":
            return
        full = 32767 if values.dtype == np.int16 else 32767 / 32768
        sounding = np.count_nonzero(values)
        clipped = np.count_nonzero((values >= full) | (values <= -full))
        if clipped > CLIPPED * sounding:
            warnings.warn(
                f"{clipped / sounding:.0%} of the samples are at full scale, as in recordings that "
                "are clipped: use softer ones.",
                stacklevel=2,
            )

    @override
    def restore(self, values):
        """Returns int16: the middles of the levels, and 0 for padding."""
        values = tf.cast(values, tf.int32)
        sounds = mu_law_waveform(tf.clip_by_value(values, 0, self.levels - 1), self.levels)
        sounds = tf.cast(tf.round(sounds * 32768.0), tf.int16)
        return tf.where(values == PADDING, tf.zeros_like(sounds), sounds)

    @override
    def spec(self):
        return tf.TensorSpec([None, self.samples, 1], tf.int16, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.samples, 1], tf.int32)


def _amplitudes(values):
    """Sound as float32 in [-1, 1], of int16 or such floats."""
    if values.dtype == tf.int16:
        return tf.cast(values, tf.float32) / 32768.0
    if not values.dtype.is_floating:
        raise TypeError(
            f"Waveforms have dtype {values.dtype.name}: expected int16, or float in [-1, 1]."
        )
    expected = "floats in [-1, 1] or int16"
    return _within(tf.cast(values, tf.float32), -1.0, 1.0, "Waveforms", expected)


def _live(values):
    """Which samples lie between the first and the last that is not 0."""
    sounds = tf.cast(values != 0, tf.int32)
    begun = tf.cumsum(sounds, axis=1) > 0
    to_come = tf.cumsum(sounds, axis=1, reverse=True) > 0
    return begun & to_come


@dataclasses.dataclass(frozen=True)
class Characters(Edge):
    """Texts, inside as int32 numbers of their characters.

    After a text comes an end sign, the number `len(alphabet)`, so that there are `len(alphabet)` +
    1 levels; then -1, padding, which counts in no loss. A text of `length` characters or more is
    cut to that length, and has no end sign.

    Args:
        alphabet: The characters, each once, such as `keras_gen.data.characters_of` finds.
        length: Characters of an example, 1 or more.
        name: Name under which clients know them.

    Example:
        >>> Characters("abc", 5).prepare(["cab", "a"])[..., 0].numpy()
        array([[ 2,  0,  1,  3, -1],
               [ 0,  3, -1, -1, -1]], dtype=int32)
    """

    alphabet: str
    length: int
    name: str = "texts"

    def __post_init__(self):
        checked_integer("length", self.length, minimum=1)
        object.__setattr__(self, "alphabet", "".join(self.alphabet))
        if not self.alphabet or len(set(self.alphabet)) < len(self.alphabet):
            raise ValueError(
                f"The alphabet has {len(self.alphabet)} characters, {len(set(self.alphabet))} of "
                "them different: give at least one, and each once."
            )

    @property
    def levels(self) -> int:
        """The number of characters, and one for the end sign."""
        return len(self.alphabet) + 1

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes strings `[batch]` in UTF-8, or numbers as they are inside, `[batch, length, 1]`.

        Positions in an error count from 0.
        """
        values = tf.convert_to_tensor(values)
        if values.shape == [0]:  # no texts, which a list does not know to be texts
            values = tf.constant([], tf.string)
        if values.dtype == tf.string:
            return self._numbers(values)
        if not values.dtype.is_integer:
            raise TypeError(
                f"Texts have dtype {values.dtype.name}: expected strings, or integers that number "
                "their characters."
            )
        values = _shaped(values, (self.length, 1), "Numbers of characters")
        return _integers(values, PADDING, self.levels - 1, "Numbers of characters")

    def _numbers(self, texts):
        if texts.shape.rank not in (1, None):
            raise ValueError(f"Texts have shape {texts.shape}: expected [batch].")
        texts = tf.ensure_shape(texts, [None])
        points = tf.strings.unicode_decode(texts, "UTF-8")
        lengths = tf.cast(points.row_lengths(), tf.int32)
        points = points.to_tensor(PADDING, shape=[None, self.length])
        place = tf.range(self.length)[None]
        in_text = place < lengths[:, None]

        # A binary search in place of a table, which whoever exports a model would have to track.
        known = code_points(self.alphabet)
        order = np.argsort(known).astype(np.int32)
        rank = tf.searchsorted(known[order], tf.reshape(points, [-1]))
        number = tf.gather(order, tf.minimum(rank, len(order) - 1))
        number = tf.reshape(number, tf.shape(points))
        found = tf.gather(known, number) == points
        with tf.control_dependencies([self._require_known(points, in_text & ~found)]):
            padding = tf.where(place == lengths[:, None], self.levels - 1, PADDING)
            numbers = tf.where(in_text, number, padding)
        return numbers[..., None]

    def _require_known(self, points, unknown):
        """Refuses the first character that is unknown, by its place."""
        wrong = tf.concat([tf.where(unknown), [[0, 0]]], axis=0)[0]
        # A text of none may have no characters to gather from.
        point = tf.gather_nd(tf.pad(points, [[0, 1], [0, 0]]), wrong)
        character = tf.strings.unicode_encode([point], "UTF-8")
        sentence = (
            f"Text {{}} has the character {{}} at position {{}}: expected the "
            f"{len(self.alphabet)} characters of the alphabet; replace others, as "
            "keras_gen.data.cleaned does."
        )
        return require(~tf.reduce_any(unknown), sentence, wrong[0], character, wrong[1])

    @override
    def restore(self, values):
        """Returns strings `[batch]`: the characters before the end sign or padding."""
        numbers = tf.cast(values, tf.int32)[..., 0]
        is_character = (numbers >= 0) & (numbers < len(self.alphabet))
        kept = tf.math.cumprod(tf.cast(is_character, tf.int32), axis=1) > 0
        points = tf.gather(code_points(self.alphabet), tf.where(is_character, numbers, 0))
        return tf.strings.unicode_encode(tf.ragged.boolean_mask(points, kept), "UTF-8")

    @override
    def spec(self):
        return tf.TensorSpec([None], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.length, 1], tf.int32)


class Prompt(Characters):
    """Beginnings of texts, as `Characters` without the end sign: -1 where a text is to go on.

    Example:
        >>> Prompt("abc", 4).prepare("cab")[0, :, 0].numpy()
        array([ 2,  0,  1, -1], dtype=int32)
    """

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes strings shorter than `length`, `[batch]` or one for all."""
        values = tf.convert_to_tensor(values)
        if values.dtype != tf.string:
            raise TypeError(f"{self.name} has dtype {values.dtype.name}: expected strings.")
        values = tf.reshape(values, [-1]) if values.shape.rank == 0 else values
        longest = tf.reduce_max(tf.strings.length(values, unit="UTF8_CHAR"))
        sentence = (
            f"{self.name} has {{}} characters: expected fewer than the {self.length} of a text."
        )
        with tf.control_dependencies([require(longest < self.length, sentence, longest)]):
            numbers = super().prepare(values)
        return tf.where(numbers == self.levels - 1, PADDING, numbers)


class Texts(Edge):
    """Texts, inside as the counts of the words of a vocabulary.

    Args:
        vocabulary: The words.
        top: Number of words that are returned for a result: those of highest rate.
        name: Name under which clients know them.

    Example:
        >>> Texts(["cat", "dog"], top=1).prepare(["A cat."]).numpy()
        array([[1., 0.]], dtype=float32)
    """

    def __init__(self, vocabulary: Sequence[str], top: int = 10, name: str = "texts"):
        self.vocabulary = list(vocabulary)
        self.top = top
        self.name = name
        self.counter = WordCounts(self.vocabulary)

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes strings `[batch]`, or counts from 0 on, `[batch, words]`."""
        values = tf.convert_to_tensor(values)
        if values.shape == [0]:  # no texts, which a list does not know to be texts
            values = tf.constant([], tf.string)
        if values.dtype == tf.string:
            return self.counter(values)
        if not (values.dtype.is_floating or values.dtype.is_integer):
            raise TypeError(
                f"Counts have dtype {values.dtype.name}: expected integers such as uint8, "
                "floats, or texts as strings."
            )
        if not values.shape.is_compatible_with([None, len(self.vocabulary)]):
            raise ValueError(
                f"Counts have shape {values.shape}: expected [batch, "
                f"{len(self.vocabulary)}], one for each word of the vocabulary."
            )
        values = tf.cast(values, tf.float32)
        largest = np.finfo("float32").max
        return _within(values, 0.0, largest, "Counts", "finite numbers from 0 on", slack=0)

    @override
    def restore(self, values):
        """Returns the words of highest rate, `words` `[batch, top]`, and their `rates`."""
        rates, numbers = tf.math.top_k(values, self.top)
        return {"words": tf.gather(tf.constant(self.vocabulary), numbers), "rates": rates}

    @override
    def spec(self):
        return tf.TensorSpec([None], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, len(self.vocabulary)], tf.float32)


class Table(Edge):
    """Rows of a table, inside as vectors: numbers standardized, categories one-hot.

    Args:
        columns: The columns, as `keras_gen.data.table_columns` finds them.
        name: Name under which clients know the rows.

    Example:
        >>> Table([Column("age", mean=4.0), Column("kind", ("cat", "dog"))]).prepare([["3", "dog"]])
        <tf.Tensor: shape=(1, 3), dtype=float32, numpy=array([[-1.,  0.,  1.]], dtype=float32)>
    """

    def __init__(self, columns: Sequence[Column], name: str = "rows"):
        self.name = name
        self.vectors = RowVectors(columns)
        first = [(column.categories or (f"{column.mean:g}",))[0] for column in columns]
        self.example = np.array([first])

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes strings `[batch, columns]`, as a CSV reader gives them, or vectors of such rows."""
        values = tf.convert_to_tensor(values)
        if values.dtype != tf.string:
            return Vectors((self.vectors.size,), "vectors").prepare(values)
        columns = [column.name for column in self.vectors.columns]
        if not values.shape.is_compatible_with([None, len(columns)]):
            raise ValueError(
                f"Rows have shape {values.shape}: expected [batch, {len(columns)}], with the "
                f"columns {', '.join(columns)}; keras_gen.data.table_rows makes rows of columns."
            )
        return self.vectors(values)

    @override
    def spec(self):
        return tf.TensorSpec([None, len(self.vectors.columns)], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.vectors.size], tf.float32)


@dataclasses.dataclass(frozen=True)
class Vectors(Edge):
    """Float32 numbers as they are: latents, codes, features.

    Args:
        shape: Shape of one example.
        name: Name under which clients know them.
    """

    shape: tuple
    name: str = "latents"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes finite numbers `[batch, *shape]`."""
        values = _numbers(values, self.name.capitalize())
        values = _shaped(values, self.shape, self.name.capitalize())
        most = np.finfo("float32").max
        return _within(values, -most, most, self.name.capitalize(), "finite numbers", slack=0)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.float32)


@dataclasses.dataclass(frozen=True)
class Number(Edge):
    """One number for all examples, such as a temperature.

    Args:
        low: Smallest value.
        high: Largest value.
        name: Name under which clients know it.
    """

    low: float
    high: float
    name: str

    @override
    def prepare(self, values) -> tf.Tensor:
        values = _numbers(values, self.name)
        if values.shape.rank:
            raise ValueError(f"{self.name} has shape {values.shape}: expected one number.")
        expected = f"a number in [{self.low:g}, {self.high:g}]"
        return _within(values, self.low, self.high, self.name, expected, slack=0)

    @override
    def inner_spec(self):
        return tf.TensorSpec([], tf.float32)


@dataclasses.dataclass(frozen=True)
class Seeds(Edge):
    """Seeds of the noise of each example: integers `[batch]`, 0 to 2**31 - 1.

    Args:
        name: Name under which clients know them.

    Example:
        >>> Seeds().prepare([0, 1])
        <tf.Tensor: shape=(2,), dtype=int32, numpy=array([0, 1], dtype=int32)>
    """

    name: str = "seeds"

    @override
    def prepare(self, values) -> tf.Tensor:
        """Takes integers `[batch]`."""
        seeds = _shaped(tf.convert_to_tensor(values), (), "Seeds")
        return _integers(seeds, 0, 2**31 - 1, "Seeds")

    @override
    def inner_spec(self):
        return tf.TensorSpec([None], tf.int32)


def _numbers(values, subject):
    """Numbers of any kind as float32."""
    values = tf.convert_to_tensor(values)
    if not (values.dtype.is_floating or values.dtype.is_integer):
        raise TypeError(f"{subject} have dtype {values.dtype.name}: expected numbers.")
    return tf.cast(values, tf.float32)


def _shaped(values, shape, subject):
    if not values.shape.is_compatible_with([None, *shape]):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{subject} have shape {values.shape}: expected [batch, {expected}].")
    # A step may not know the shape, and `fit` may reuse one that was built for another.
    values = tf.ensure_shape(values, [None, *shape])
    if None not in shape:
        return values
    sizes = tf.unstack(tf.shape(values)[1:])
    sentence = f"{subject} have shape [batch, {', '.join(['{}'] * len(sizes))}]: expected no 0."
    with tf.control_dependencies([require(tf.reduce_min(sizes) > 0, sentence, *sizes)]):
        return tf.identity(values)


def _within(values, low, high, subject, expected, slack=1e-3):
    """Values that are checked to lie in [low, high], or beyond by what a decoder may round."""
    least = tf.cast(tf.reduce_min(values), tf.float32)
    most = tf.cast(tf.reduce_max(values), tf.float32)
    # Comparisons with NaN are false, so NaN is refused too.
    inside = (least >= low - slack) & (most <= high + slack)
    sentence = f"{subject} have values from {{}} to {{}}: expected {expected}."
    with tf.control_dependencies([require(inside, sentence, least, most)]):
        return tf.identity(values)


def _integers(values, low, high, subject):
    values = tf.convert_to_tensor(values)
    if not values.dtype.is_integer:
        raise TypeError(
            f"{subject} have dtype {values.dtype.name}: expected integers in [{low}, {high}]."
        )
    values = _within(values, low, high, subject, f"integers in [{low}, {high}]", slack=0)
    return tf.cast(values, tf.int32)
