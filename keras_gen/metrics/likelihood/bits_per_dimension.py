"""Likelihoods of 8-bit data in bits per dimension."""

from __future__ import annotations

import math
from typing import Any

from keras_gen.arguments import checked_choice, checked_integer, checked_positive
from keras_gen.checked_arguments import checked_types

DEQUANTIZATIONS = ("none", "uniform", "variational")


@checked_types
def bits_per_dimension(
    nats: Any, dimensions: int, dequantization: str, levels_per_unit: float = 1.0
) -> Any:
    """Converts a negative log-likelihood of 8-bit data to bits per dimension.

    The result is `nats / dimensions / log 2 + log2(levels_per_unit)`, which undoes the effect of
    the data's scaling on their density. Do not compare densities with probabilities. The density of
    data plus uniform noise of one level's width bounds the probability of the levels (Theis et al.
    2016, section 3.1); the density of data without noise bounds nothing.

    Args:
        nats: -log p(x) of whole examples: a number, array or tensor. For "variational" it includes
            the noise's term, log q(u|x) - log p(x + u) (Ho et al. 2019, Flow++).
        dimensions: Numbers in an example, such as 32 * 32 * 3.
        dequantization: "none" (p is a probability of 256 levels), "uniform" or "variational" (p is
            a density of levels plus noise in [0, 1)). Report it with the result.
        levels_per_unit: Levels in one unit of the model's data: 256 for levels / 256, 128 for
            levels / 128 - 1, 1 for levels as they are.

    Example:
        >>> bits_per_dimension(0.0, 784, "uniform", levels_per_unit=256)  # uniform in [0, 1)
        8.0
    """
    checked_choice("dequantization", dequantization, DEQUANTIZATIONS)
    checked_integer("dimensions", dimensions, minimum=1)
    checked_positive("levels_per_unit", levels_per_unit)
    if dequantization == "none" and levels_per_unit != 1:
        raise ValueError(
            f"bits_per_dimension found levels_per_unit={levels_per_unit} for a "
            "probability, which "
            "has no unit: leave it out, or name the dequantization of a density."
        )
    return nats / (dimensions * math.log(2)) + math.log2(levels_per_unit)
