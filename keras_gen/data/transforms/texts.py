"""Text processing: character levels, word counts, and class names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
import tensorflow as tf

from keras_gen.arguments import shown
from keras_gen.checked_arguments import checked_types

_LINE_END = re.compile("\r\n?")
_UNPRINTABLE = re.compile("[^ -~\n]")  # all except printable ASCII and newlines


@checked_types
def cleaned(texts: Iterable[str]) -> list[str]:
    r"""Converts texts to printable ASCII and newlines, which are at most 96 distinct characters.

    Every line ending becomes `\n`. Tabs, control characters, and all letters and symbols beyond
    ASCII become spaces. Leading and trailing whitespace is removed.

    Args:
        texts: Strings to clean.

    Example:
        >>> cleaned(["a\tb\r\n", "café!"])
        ['a b', 'caf !']
    """
    return [_UNPRINTABLE.sub(" ", _LINE_END.sub("\n", text)).strip() for text in texts]


@checked_types
def characters_of(texts: Iterable[str]) -> str:
    """Returns the characters that occur in texts, in Unicode order.

    Args:
        texts: Strings. If they contain no characters, a ValueError is raised.

    Example:
        >>> characters_of(["ab", "cab!"])
        '!abc'
    """
    found = "".join(sorted(set().union(*texts)))
    if not found:
        raise ValueError("The texts have no characters: expected at least one character.")
    return found


def code_points(characters: str) -> np.ndarray:
    """Returns the Unicode code points of characters, int32 `[n]`.

    Example:
        >>> code_points("ab")
        array([97, 98], dtype=int32)
    """
    return np.array([ord(character) for character in characters], np.int32)


# The complement of the class \w in Python's regular expressions, written for TensorFlow.
_BETWEEN_WORDS = r"[^\p{L}\p{N}_]+"
# A word with the characters that join its parts, a number, or any other symbol.
_WORD = re.compile(r"[a-z]+(?:['.&-][a-z]+)*|\d[\d.,]*(?<=\d)|[^\s]")
NUMBER = "N"


@checked_types
def words_of(text: str) -> list[str]:
    """Returns the words and symbols of an English text in order, in lowercase.

    Every number becomes `"N"`, as is common in word-level language models. Hyphens, periods,
    apostrophes, and & between letters are part of a word; any other symbol that is not whitespace
    is separate.

    Args:
        text: String to split.

    Example:
        >>> words_of("U.S. sales rose 3.5 pct, it said.")
        ['u.s', '.', 'sales', 'rose', 'N', 'pct', ',', 'it', 'said', '.']
    """
    found = _WORD.findall(text.lower())
    return [NUMBER if word[0].isdigit() else word for word in found]


@checked_types
def common_words(texts: Iterable[str], size: int = 2000) -> list[str]:
    """Returns the most frequent words in alphabetical order, without English stop words.

    Words are defined as in `WordCounts`; the stop words are scikit-learn's.

    Args:
        texts: Texts of the training set. If they contain no words, a ValueError is raised.
        size: Maximum number of words.

    Example:
        >>> common_words(["The cat sat.", "A cat ran."], size=1)
        ['cat']
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(max_features=size, stop_words="english")
    try:
        counter.fit(texts)
    except ValueError as error:
        raise ValueError(
            "texts contain only English stop words and single letters: expected at least one other "
            "word of two or more letters."
        ) from error
    return counter.get_feature_names_out().tolist()


class WordCounts(tf.Module):
    """Counts the words of a vocabulary in texts, identically in Python and inside a SavedModel.

    Texts are converted to lowercase and split into runs of two or more letters, digits, and
    underscores, as in scikit-learn's `CountVectorizer`. Other words are ignored.

    Args:
        vocabulary: One or more words. A duplicate, or a word that cannot occur in a split text,
            raises a ValueError.

    Example:
        >>> WordCounts(["cat", "dog"])(["A cat, a CAT and a bird"]).numpy()
        array([[2., 0.]], dtype=float32)
    """

    @checked_types
    def __init__(self, vocabulary: Sequence[str]):
        super().__init__()
        if not vocabulary or len(set(vocabulary)) < len(vocabulary):
            raise ValueError(
                f"The vocabulary has {len(vocabulary)} words, {len(set(vocabulary))} of them "
                "distinct: expected at least one word, without duplicates."
            )
        one_word = re.compile(r"\w\w+")
        unread = [w for w in vocabulary if w != w.lower() or not one_word.fullmatch(w)]
        if unread:
            raise ValueError(
                f"The vocabulary has the word {shown(unread[0])}, which no text can contain as "
                "a word: expected single words in lowercase, of two or more letters, digits, and "
                "underscores."
            )
        self.size = len(vocabulary)
        numbers = np.arange(self.size, dtype=np.int64)
        words = tf.lookup.KeyValueTensorInitializer(tf.constant(list(vocabulary)), numbers)
        self.table = tf.lookup.StaticHashTable(words, default_value=-1)

    @checked_types
    def __call__(self, texts) -> tf.Tensor:
        """Returns the counts, float32 `[n, words]`, for UTF-8 strings `[n]`."""
        try:
            texts = tf.convert_to_tensor(texts, tf.string)
        except (TypeError, ValueError):
            raise TypeError(f"texts is {shown(texts)}: expected strings [n].") from None
        # `unicode_transcode` replaces invalid bytes. It also replaces control characters, which
        # would truncate a text, and which separate words anyway.
        texts = tf.strings.unicode_transcode(
            texts, "UTF-8", "UTF-8", replace_control_characters=True
        )
        lower = tf.strings.lower(texts, encoding="utf-8")
        tokens = tf.strings.split(tf.strings.regex_replace(lower, _BETWEEN_WORDS, " "), " ")
        known = tokens.with_flat_values(self.table.lookup(tokens.flat_values))
        known = tf.ragged.boolean_mask(known, known >= 0)
        counts = tf.math.unsorted_segment_sum(
            tf.ones_like(known.flat_values, tf.float32),
            known.value_rowids() * self.size + known.flat_values,
            tf.cast(tf.shape(texts)[0], tf.int64) * self.size,
        )
        return tf.reshape(counts, [-1, self.size])


_NUMBER = r"[-+]?(\d{1,18}\.?\d{0,18}|\.\d{1,18})"


def sorted_names(names: Iterable[str]) -> list[str]:
    """Returns unique names, in numeric order if all are numbers; otherwise, in text order.

    Example:
        >>> sorted_names(["10", "9", "9"]), sorted_names(["b10", "b9"])
        (['9', '10'], ['b10', 'b9'])
    """
    found = sorted(set(names))
    if all(re.fullmatch(_NUMBER, name, re.ASCII) for name in found):
        found.sort(key=Decimal)
    return found


def without_fractions(names: Iterable[str]) -> list[str]:
    """Returns the names; if all are integers, 1.0 becomes 1, because pandas writes both forms.

    Example:
        >>> without_fractions(["1", "1.0"]), without_fractions(["1.0", "1.5"])
        (['1', '1'], ['1.0', '1.5'])
    """
    names = list(names)
    if all(re.fullmatch(r"[-+]?\d+(\.0*)?", name, re.ASCII) for name in names):
        return [name.partition(".")[0] for name in names]
    return names
