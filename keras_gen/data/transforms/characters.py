"""Texts as sequences of characters from an alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from keras_gen.checked_arguments import checked_types

_LINE_END = re.compile("\r\n?")
_UNPRINTABLE = re.compile("[^ -~\n]")  # all except printable ASCII and newlines


@checked_types
def cleaned(texts: Iterable[str]) -> list[str]:
    r"""Returns texts of printable ASCII and newlines, at most 96 different characters.

    Every line ending becomes `\n`, and each other character a space: tabs, control characters, and
    all letters and symbols beyond ASCII. White space at both ends is removed.

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
        texts: Strings, with at least one character; otherwise a ValueError is raised.

    Example:
        >>> characters_of(["ab", "cab!"])
        '!abc'
    """
    found = "".join(sorted(set().union(*texts)))
    if not found:
        raise ValueError("The texts have no characters: expected at least one.")
    return found


def code_points(characters: str) -> np.ndarray:
    """Returns the Unicode code points of characters, int32 `[n]`.

    Example:
        >>> code_points("ab")
        array([97, 98], dtype=int32)
    """
    return np.array([ord(character) for character in characters], np.int32)
