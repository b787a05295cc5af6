"""How several recipes name what they report."""

from collections.abc import Mapping
from typing import Any


def prefixed(prefix: str, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the numbers under names that begin with the prefix."""
    return {prefix + name: value for name, value in numbers.items()}


def suffixed(numbers: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    """Returns the numbers under names that end with the suffix."""
    return {name + suffix: value for name, value in numbers.items()}
