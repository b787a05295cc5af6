"""Texts as sequences of characters of an alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from keras_gen.checked_arguments import checked_types

_LINE_END = re.compile("\r\n?")
_UNPRINTABLE = re.compile("[^ -~\n]")  # all but printable ASCII and the end of a line


@checked_types
def cleaned(texts: Iterable[str]) -> list[str]:
    r"""Returns texts of printable ASCII and ends of lines, at most 96 characters.

    Every end of a line becomes `\n`, each other character a space: tabs, control characters, and
    all letters and signs beyond ASCII. White space at both ends is left out.

    Args:
        texts: Strings.

    Example:
        >>> cleaned(["a\tb\r\n", "café!"])
        ['a b', 'caf !']
    """
    return [_UNPRINTABLE.sub(" ", _LINE_END.sub("\n", text)).strip() for text in texts]


@checked_types
def characters_of(texts: Iterable[str]) -> str:
    """Returns the characters that occur in texts, in the order of Unicode.

    Args:
        texts: Strings, with one character at least, else a ValueError.

    Example:
        >>> characters_of(["ab", "cab!"])
        '!abc'
    """
    found = "".join(sorted(set().union(*texts)))
    if not found:
        raise ValueError("The texts have no characters: expected one at least.")
    return found


def code_points(characters: str) -> np.ndarray:
    """Returns the numbers of characters in Unicode, int32 `[n]`.

    Example:
        >>> code_points("ab")
        array([97, 98], dtype=int32)
    """
    return np.array([ord(character) for character in characters], np.int32)
