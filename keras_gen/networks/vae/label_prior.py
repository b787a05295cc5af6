"""A prior network of labels (Sohn, Lee, Yan 2015)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments


@checked_arguments
def label_prior(classes: int, latent_dim: int = 16) -> keras.Model:
    """Builds a Normal prior of the latents for each class, which starts as N(0, 1) for all.

    Sohn, Lee, Yan: "Learning Structured Output Representation using Deep Conditional Generative
    Models", NeurIPS 2015, the prior network of sec. 4: of labels it is a table.

    Args:
        classes: Number of classes.
        latent_dim: Dimensions of the latents.

    Returns:
        A model from int32 labels `[batch]` to mean and log variance, float32 `[batch, latent_dim]`
        each.

    Example:
        >>> prior = label_prior(classes=10, latent_dim=2)
    """
    labels = keras.Input((), dtype="int32", name="labels")
    heads = [
        layers.Embedding(classes, latent_dim, "zeros", dtype="float32", name=name)(labels)
        for name in ("mean", "log_variance")
    ]
    return keras.Model(labels, heads, name="prior")
