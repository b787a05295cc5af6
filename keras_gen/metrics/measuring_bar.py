"""The progress bar of long measurements."""

from collections.abc import Iterable

from tqdm import tqdm


def with_bar(steps: Iterable, unit: str) -> tqdm:
    """Returns steps with a bar if they take more than a second in a terminal; a log has no bar.

    Example:
        >>> for start in with_bar(range(0, len(images), 100), "batch"):    # doctest: +SKIP
        ...     measure(images[start : start + 100])
    """
    return tqdm(steps, unit=unit, disable=None, leave=False, delay=1)
