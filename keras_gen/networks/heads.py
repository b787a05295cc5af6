"""Further outputs of a network."""

import keras
from keras import layers


def with_head(network: keras.Model, units: int, name: str = "logits") -> keras.Model:
    """Adds an output to a network: a linear layer beside that of its first output.

    A variational encoder that also classifies, as that of a debiasing VAE does, is
    `with_head(mlp_encoder(heads=("mean", "log_variance")), classes)`.

    Args:
        network: A functional model whose first output comes from a layer of one input, which the
            new layer takes too. Its layers are shared, so use the result in its place.
        units: Of the new output.
        name: Of the new layer.

    Returns:
        A model of the same name and inputs, whose outputs are those of the network and, last, the
        new one, float32 `[batch, units]`.

    Raises:
        ValueError: If a layer has that name already.

    Example:
    ```python
    from keras_gen.networks import mlp_encoder

    encoder = with_head(mlp_encoder(latent_dim=8, heads=("mean", "log_variance")), 2)
    ```
    """
    if name in (layer.name for layer in network.layers):
        raise ValueError(f"The network '{network.name}' has a layer '{name}': choose another name.")
    hidden = network.get_layer(network.output_names[0]).input
    head = layers.Dense(units, dtype="float32", name=name)(hidden)
    return keras.Model(network.input, [*network.outputs, head], name=network.name)
