"""Encoder and decoder of some of the latents."""

from collections.abc import Sequence

import keras
from keras import ops


def keep_latents(
    encoder: keras.Model, decoder: keras.Model, kept: Sequence[int]
) -> tuple[keras.Model, keras.Model]:
    """Leaves out latents, such as those that a VAE does not use and that are noise to others.

    Kingma, Mohamed, Rezende, Welling (2014) leave out of M1's latents those whose posterior means
    have a deviation of at most 0.1, before M2 takes the others (authors' code).

    Args:
        encoder: From examples to heads `[batch, latents]` each.
        decoder: From latents `[batch, latents]`.
        kept: Numbers of the latents that are kept, in the order that they then have.

    Returns:
        An encoder to the kept latents, and a decoder that takes them and has zeros, the prior's
        mean, in place of the others. Both share the weights of those given.

    Raises:
        ValueError: If `kept` is empty, or names a latent twice or one that there is not.

    Example:
    ```python
    from keras_gen.networks import mlp_networks
    from keras_gen.vae import VAE

    networks = mlp_networks(latent_dim=5, hidden=(8,), heads=("mean", "log_variance"))
    model = VAE(*keep_latents(*networks, kept=[0, 3]))  # that `active_units` says vary
    ```
    """
    count, kept = encoder.outputs[0].shape[-1], [int(number) for number in kept]
    if not kept or len(set(kept)) < len(kept) or min(kept) < 0 or max(kept) >= count:
        raise ValueError(
            f"kept is {kept}: expected one or more different numbers from 0 to {count - 1}, of the "
            "latents that are kept."
        )
    heads = [ops.take(head, kept, axis=-1) for head in encoder.outputs]
    latents = keras.Input((len(kept),))
    # Behind the kept latents comes a zero, which is what all others are.
    padded = ops.pad(latents, [[0, 0], [0, 1]])
    places = [kept.index(n) if n in kept else len(kept) for n in range(count)]
    images = decoder(ops.take(padded, places, axis=-1))
    return (
        keras.Model(encoder.input, heads, name=encoder.name),
        keras.Model(latents, images, name=decoder.name),
    )
