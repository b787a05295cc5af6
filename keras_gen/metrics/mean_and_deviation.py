"""Summaries of measurements that are repeated with several seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from keras_gen.arguments import shown
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_numbers


@checked_types
def mean_and_deviation(
    found: Sequence[Mapping[str, Any]], name: str = "{}", keys: Sequence[str] | None = None
) -> dict[str, float]:
    """Returns each metric's mean over several seeds, and its standard deviation as `..._deviation`.

    The standard deviation has the denominator n - 1, and is omitted if there is only one seed.

    Args:
        found: One dict per seed, which maps the names of metrics to their values.
        name: Name for the mean of a metric, in which {} is replaced with the metric's name.
        keys: Names of the metrics to include. If None, the metrics of the first seed are used.

    Raises:
        TypeError: If a metric is not a number.
        ValueError: If there are no measurements, if a metric is missing for a seed, or if `name`
            gives several metrics the same name.

    Example:
        >>> mean_and_deviation([{"error": 1.0}, {"error": 3.0}], "{}_of_two")
        {'error_of_two': 2.0, 'error_of_two_deviation': 1.4142135623730951}
    """
    if not found:
        raise ValueError("No metrics were found: expected the metrics of at least one seed.")
    keys = list(dict.fromkeys(found[0] if keys is None else keys))
    try:
        names = {key: name.format(key) for key in keys}
    except (IndexError, KeyError, ValueError):
        names = {}
    if len(set(names.values())) < len(keys):
        raise ValueError(
            f"name is {shown(name)}: expected a text with {{}}, which stands for the name of a "
            "metric."
        )
    means = {}
    for key in keys:
        lacking = [number for number, of_seed in enumerate(found) if key not in of_seed]
        if lacking:
            raise ValueError(
                f"Measurement {lacking[0]} lacks the metric {key!r}, which other measurements "
                "have: expected the same metrics in each measurement."
            )
        each = as_numbers([of_seed[key] for of_seed in found], key).astype(np.float64)
        if each.ndim > 1:
            raise TypeError(f"{key} is {shown(found[0][key])}: expected a number.")
        means[names[key]] = float(np.mean(each))
        if len(each) > 1:
            means[f"{names[key]}_deviation"] = float(np.std(each, ddof=1))
    return means


def with_bar(steps: Iterable, unit: str) -> tqdm:
    """Adds a progress bar, in a terminal only, to steps that take more than a second in total.

    Example:
        >>> for start in with_bar(range(0, len(images), 100), "batch"):    # doctest: +SKIP
        ...     measure(images[start : start + 100])
    """
    return tqdm(steps, unit=unit, disable=None, leave=False, delay=1)
