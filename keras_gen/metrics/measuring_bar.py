"""The progress bar for long measurements."""

from collections.abc import Iterable

from tqdm import tqdm


def with_bar(steps: Iterable, unit: str) -> tqdm:
    """Adds a progress bar to steps that take more than a second, but only in a terminal.

    Example:
        >>> for start in with_bar(range(0, len(images), 100), "batch"):    # doctest: +SKIP
        ...     measure(images[start : start + 100])
    """
    return tqdm(steps, unit=unit, disable=None, leave=False, delay=1)
