"""Edges for texts, as sequences of characters or as word counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, require_unicode, shown
from keras_gen.core.kinds_of_data.kind_of_data import (
    PADDING,
    Edge,
    as_tensor,
    integers_within,
    of_shape,
    within,
)
from keras_gen.data.transforms.texts import WordCounts, code_points
from keras_gen.tensor_checks import require


@dataclasses.dataclass(frozen=True)
class Characters(Edge):
    """Texts. Inside the model, texts are int32 character indices.

    A text is followed by an end token, the number `len(alphabet)`, so there are `len(alphabet)` + 1
    levels. The remaining positions are padded with -1, which all losses ignore. A text of `length`
    or more characters is truncated to that length and has no end token.

    Args:
        alphabet: All characters, each once, as returned by `keras_gen.data.characters_of`.
        length: Number of characters per example, at least 1.
        name: Name used by clients.

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
        try:
            object.__setattr__(self, "alphabet", "".join(self.alphabet))
        except TypeError:
            raise TypeError(
                f"alphabet is {shown(self.alphabet)}: expected a string of characters."
            ) from None
        require_unicode("alphabet", self.alphabet)
        if not self.alphabet or len(set(self.alphabet)) < len(self.alphabet):
            raise ValueError(
                f"The alphabet has {len(self.alphabet)} characters, {len(set(self.alphabet))} of "
                "them distinct: expected at least one character, without duplicates."
            )

    @property
    def levels(self) -> int:
        """Number of characters, plus one for the end token."""
        return len(self.alphabet) + 1

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts UTF-8 strings `[batch]`, or character indices `[batch, length, 1]`.

        Positions in error messages are counted from 0.
        """
        values = as_tensor(values, self.name)
        if values.shape == [0]:  # an empty list, which has no type
            values = tf.constant([], tf.string)
        if values.dtype == tf.string:
            return self._numbers(values)
        if not values.dtype.is_integer:
            raise TypeError(
                f"Texts have dtype {values.dtype.name}: expected strings, or character indices as "
                "integers."
            )
        values = of_shape(values, (self.length, 1), "Character indices")
        return integers_within(values, PADDING, self.levels - 1, "Character indices")

    def _numbers(self, texts):
        if texts.shape.rank not in (1, None):
            raise ValueError(f"Texts have shape {texts.shape}: expected [batch].")
        texts = tf.ensure_shape(texts, [None])
        points = tf.strings.unicode_decode(texts, "UTF-8")
        lengths = tf.cast(points.row_lengths(), tf.int32)
        points = points.to_tensor(PADDING, shape=[None, self.length])
        place = tf.range(self.length)[None]
        in_text = place < lengths[:, None]

        # Characters are found by binary search, because an export would have to track a lookup
        # table.
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
        """Raises an error for the first unknown character, with its position."""
        wrong = tf.concat([tf.where(unknown), [[0, 0]]], axis=0)[0]
        # A column is added to the texts, because there may be no characters to gather from.
        point = tf.gather_nd(tf.pad(points, [[0, 1], [0, 0]]), wrong)
        character = tf.strings.unicode_encode([point], "UTF-8")
        sentence = (
            "Text {} has the character {} at position {}: expected one of the "
            f"{len(self.alphabet)} characters in the alphabet. Replace all other characters, "
            "for example with keras_gen.data.cleaned."
        )
        return require(~tf.reduce_any(unknown), sentence, wrong[0], character, wrong[1])

    @override
    def restore(self, values):
        """Returns strings `[batch]`: the characters before the end token or padding."""
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
    """Beginnings of texts, encoded as in `Characters` but without end tokens, padded with -1.

    Example:
        >>> Prompt("abc", 4).prepare("cab")[0, :, 0].numpy()
        array([ 2,  0,  1, -1], dtype=int32)
    """

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts strings `[batch]` shorter than `length`, or one string for all examples."""
        values = as_tensor(values, self.name)
        if values.dtype != tf.string:
            raise TypeError(f"{self.name} has dtype {values.dtype.name}: expected strings.")
        values = tf.reshape(values, [-1]) if values.shape.rank == 0 else values
        longest = tf.reduce_max(tf.strings.length(values, unit="UTF8_CHAR"))
        sentence = (
            f"{self.name} has {{}} characters: expected fewer than the text length of "
            f"{self.length}."
        )
        with tf.control_dependencies([require(longest < self.length, sentence, longest)]):
            numbers = super().prepare(values)
        return tf.where(numbers == self.levels - 1, PADDING, numbers)


class Texts(Edge):
    """Texts. Inside the model, texts are counts of the words in a vocabulary.

    Args:
        vocabulary: All words that are counted.
        top: Number of words in a result, which contains the words with the highest rates.
        name: Name used by clients.

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
        """Accepts strings `[batch]`, or nonnegative counts `[batch, words]`."""
        values = as_tensor(values, self.name)
        if values.shape == [0]:  # an empty list, which has no type
            values = tf.constant([], tf.string)
        if values.dtype == tf.string:
            return self.counter(of_shape(values, (), "Texts"))
        if not (values.dtype.is_floating or values.dtype.is_integer):
            raise TypeError(
                f"Counts have dtype {values.dtype.name}: expected integers (such as uint8), "
                "floats, or texts as strings."
            )
        if not values.shape.is_compatible_with([None, len(self.vocabulary)]):
            raise ValueError(
                f"Counts have shape {values.shape}: expected [batch, "
                f"{len(self.vocabulary)}], one count per word of the vocabulary."
            )
        values = tf.cast(values, tf.float32)
        largest = np.finfo("float32").max
        return within(values, 0.0, largest, "Counts", "finite numbers of at least 0", slack=0)

    @override
    def restore(self, values):
        """Returns `words` with the highest rates, `[batch, top]`, and the words' `rates`."""
        rates, numbers = tf.math.top_k(values, self.top)
        return {"words": tf.gather(tf.constant(self.vocabulary), numbers), "rates": rates}

    @override
    def spec(self):
        return tf.TensorSpec([None], tf.string, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, len(self.vocabulary)], tf.float32)
