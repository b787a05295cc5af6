"""The exact likelihood of a decoder of two latents, on a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_gen.checked_arguments import checked_types


@checked_types
def latent_grid(
    model: Any, side: int = 300, span: float = 4.5, batch_size: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes a grid over two latents, on which log p(x) is a sum instead of an estimate.

    p(x) is the integral of N(z; 0, 1) p(x|z). On a grid it becomes a mixture of Bernoulli
    distributions: the templates are the decoded points, the weights the prior's density. The
    mixture is itself a distribution, so its NLL is that of a proper model. It needs no encoder and
    no samples, so it compares models that were trained in different ways. The grid has to be finer
    than an example's posterior: check that doubling `side` does not change the NLL.

    Args:
        model: A model with a `decoder` of latents `[batch, 2]` and a Bernoulli `likelihood`, such
            as `VAE` or `PriorSampledModel`.
        side: Points on each axis, 2 or more.
        span: Largest absolute value of a latent, in standard deviations of the prior.
        batch_size: Points decoded at once.

    Returns:
        The decoded probabilities, float32 `[side * side, ...]`, and the weights `[side * side]`, as
        `keras_gen.workshop.baselines.BernoulliMixture.of` takes them.

    Raises:
        ValueError: If the latents are not two, or `side` is below 2.

    Example: `-BernoulliMixture.of(*latent_grid(vae)).log_prob(binary_digits)`.
    """
    if (shape := tuple(model.decoder.input_shape[1:])) != (2,):
        raise ValueError(
            f"The decoder takes latents of shape {shape}: a grid needs 2; "
            "importance_weighted_nll measures any number."
        )
    if side < 2:
        raise ValueError(f"side is {side}: at least 2 points on each axis.")
    axis = np.linspace(-span, span, side, dtype="float32")
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    parts = [
        model.likelihood.mean(
            model.decoder(z[start : start + batch_size], training=False)
        ).numpy()
        for start in range(0, len(z), batch_size)
    ]
    return np.concatenate(parts), np.exp(-0.5 * np.square(z).sum(axis=1))
