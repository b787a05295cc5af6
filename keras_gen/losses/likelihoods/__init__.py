"""Likelihoods: distributions of data whose parameters are the raw output of a decoder.

For network outputs `params` and data `x`, every likelihood has:

- `log_prob(params, x)`: the log probability in nats, summed over the axes of one example,
- `mean(params)` and `sample(params, seed)`: float32 arrays with the same shape as the data,
- `range`, `levels`, and `params_per_value`: see `Likelihood`.

`x` is `[batch, ...]`. `params` may have additional leading axes, such as the importance samples of
IWAE: params `[k, batch, H, W, C]` with x `[batch, H, W, C]` yield `[k, batch]`. Everything is
computed in float32, regardless of the network's dtype.
"""

from __future__ import annotations

from typing import Any

from keras_gen.losses.likelihoods.discrete import Bernoulli, Categorical, Multinomial, Poisson
from keras_gen.losses.likelihoods.likelihood import Likelihood
from keras_gen.losses.likelihoods.logistic import DiscretizedLogistic
from keras_gen.losses.likelihoods.normal import (
    ColumnNormal,
    Normal,
    NormalMixture,
    UnboundedNormal,
)
from keras_gen.losses.per_example import resolve

LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "categorical": Categorical,
    "column_normal": ColumnNormal,
    "discretized_logistic": DiscretizedLogistic,
    "multinomial": Multinomial,
    "normal": Normal,
    "normal_mixture": NormalMixture,
    "poisson": Poisson,
    "unbounded_normal": UnboundedNormal,
}


def get(identifier: Any) -> Likelihood:
    """Returns the likelihood for an instance, a name in `LIKELIHOODS`, or a saved config.

    Example:
        >>> get("bernoulli").range
        (0.0, 1.0)
    """
    return resolve(identifier, LIKELIHOODS, Likelihood, "likelihood")
