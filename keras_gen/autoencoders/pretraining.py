"""Greedy layer-wise pretraining of deep autoencoders."""

from collections.abc import Callable

import keras

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.autoencoders.denoising_autoencoder import DenoisingAutoencoder
from keras_gen.data import Source


def pretrain_layers(
    model: Autoencoder,
    source: Source,
    train: Callable[[DenoisingAutoencoder, Source, str], None],
    amount: float = 0.25,
) -> None:
    """Trains the layers of a deep autoencoder one at a time, from the outside in.

    Each layer of the encoder and the corresponding layer of the decoder form a one-layer denoising
    autoencoder, which is trained on the codes from the previous layers. Afterward, the whole model
    contains the pretrained weights. See Bengio, Lamblin, Popovici, Larochelle: "Greedy Layer-Wise
    Training of Deep Networks", NeurIPS 2006, and, for denoising layers, Vincent et al.: "Stacked
    Denoising Autoencoders", JMLR 2010, sec. 3.5.

    Args:
        model: Autoencoder with dense layers and a decoder that mirrors its encoder. Hidden layers
            must use a sigmoid, so that their outputs are between 0 and 1.
        source: Source of images `[...]` in the model's input format, without labels.
        train: Function that compiles and fits the model of one layer. The function is called with
            this model, the model's source, and the model's name.
        amount: Fraction of a layer's inputs that are masked. The mask is resampled in every step.

    Raises:
        ValueError: If the networks are not mirror images, or if a hidden layer does not use a
            sigmoid.

    Example:
    ```python
    def train(layer, source, name):
        layer.compile("adam")
        layer.fit(source.stream(100), steps_per_epoch=600, epochs=5)


    pretrain_layers(model, small_images("mnist").train, train)
    ```
    """
    ups = _dense(model.encoder)
    downs = _dense(model.decoder)[::-1]
    sizes = [[tuple(layer.kernel.shape) for layer in layers] for layers in (ups, downs)]
    if sizes[0] != [size[::-1] for size in sizes[1]]:
        raise ValueError(
            f"The encoder's dense layers have (inputs, units) {sizes[0]}, and the decoder's "
            f"dense layers, from last to first, have {sizes[1]}: expected mirrored networks, "
            "with inputs and units swapped."
        )
    hidden = [*ups[:-1], *downs[1:]]
    if other := [
        layer.name for layer in hidden if layer.activation is not keras.activations.sigmoid
    ]:
        raise ValueError(
            f"The activation of hidden layer {other[0]} is not a sigmoid: expected a sigmoid, "
            "because the training of the next layer treats the outputs of this layer as "
            "probabilities. Build the networks with activation='sigmoid'."
        )
    for number, (up, down) in enumerate(zip(ups, downs, strict=True)):
        likelihood = model.likelihood if number == 0 else "bernoulli"
        shape = tuple(source.element_spec.shape)
        layer = DenoisingAutoencoder(
            _encoder(up, shape), _decoder(down, shape), likelihood, "masking", amount, model.seed
        )
        train(layer, source, f"layer_{number + 1}")
        for dense, trained in ((up, layer.encoder), (down, layer.decoder)):
            dense.set_weights(trained.get_weights())
        if up is not ups[-1]:
            codes = layer.encode(source.arrays())
            source = Source(codes, origin=f"codes of layer {number + 1} of {source.origin}")


def _dense(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]


def _encoder(dense, shape):
    """Builds a network with a single layer that is configured like `dense`."""
    inputs = keras.Input(shape)
    copy = keras.layers.Dense(dense.units, dense.activation, dtype="float32")
    return keras.Model(inputs, copy(keras.layers.Flatten()(inputs)), name="encoder")


def _decoder(dense, shape):
    """Builds a network with a single layer that is as large as `dense` and returns logits."""
    inputs = keras.Input((dense.kernel.shape[0],))
    outputs = keras.layers.Dense(dense.units, dtype="float32")(inputs)
    return keras.Model(inputs, keras.layers.Reshape(shape)(outputs), name="decoder")
