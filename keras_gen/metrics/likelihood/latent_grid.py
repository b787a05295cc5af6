"""The exact likelihood of a decoder of two latents, by a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_gen.baselines.bernoulli_mixture import BernoulliMixture


def latent_grid_mixture(
    model: Any, side: int = 300, span: float = 4.5, batch_size: int = 1000
) -> BernoulliMixture:
    """Lays a grid over the two latents of a decoder, by which log p(x) is a sum and no estimate.

    p(x) is the integral of N(z; 0, 1) p(x|z). On a grid it is a mixture of Bernoulli distributions,
    the templates being what is decoded there and the weights the prior's density: a distribution
    itself, so that its NLL is that of a proper model. It asks for no encoder and no samples, and
    measures models alike that were trained in different ways. The grid has to be finer than the
    posterior of an example is wide: double `side` and see that the figure stays.

    Args:
        model: A model with a `decoder` of latents `[batch, 2]` and a Bernoulli `likelihood`, such
            as `VAE` or `PriorSampledModel`.
        side: Points on each axis.
        span: Largest absolute value of a latent, in standard deviations of the prior.
        batch_size: Points decoded at once.

    Returns:
        The mixture of `side * side` templates; its `log_prob` takes binary examples.

    Raises:
        ValueError: If the latents are not two, or `side` is below 2.

    Example:
        >>> nats = -latent_grid_mixture(vae).log_prob(binary_digits)
    """
    if (shape := tuple(model.decoder.input_shape[1:])) != (2,):
        raise ValueError(
            f"The decoder takes latents of shape {shape}: a grid needs 2; importance_weighted_nll "
            "measures any number."
        )
    if side < 2:
        raise ValueError(f"side is {side}: at least 2 points on each axis.")
    axis = np.linspace(-span, span, side, dtype="float32")
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    parts = [
        model.likelihood.mean(model.decoder(z[start : start + batch_size], training=False)).numpy()
        for start in range(0, len(z), batch_size)
    ]
    return BernoulliMixture.of(np.concatenate(parts), np.exp(-0.5 * np.square(z).sum(axis=1)))
