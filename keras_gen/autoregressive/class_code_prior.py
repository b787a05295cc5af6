"""A prior over codes, given the class of an example (Esser, Rombach, Ommer 2021)."""

import keras
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.autoregressive.code_prior import CodePrior
from keras_gen.core import capability, require_classes
from keras_gen.core.kinds_of_data import label_edges


@keras.saving.register_keras_serializable("keras_gen")
class ClassCodePrior(CodePrior):
    """An autoregressive distribution of the codes of examples, conditioned on their class.

    Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021,
    eq. (9): the class stands before the codes, and the coder knows nothing of it. (That of
    `ConditionalCodePrior` decodes by the condition.) `fit(images, labels)` takes integers.

    Args:
        network: Codes and int32 labels `[batch]` to logits, as of `CodePrior`, such as of
            `keras_gen.networks.transformer` with `classes`.
        coder: A trained model of integer codes, see `CodePrior`.
        classes: Number of classes.
        seed: Not used by this model.

    Raises:
        ValueError: As of `CodePrior`, and if the network takes no label, or not this many.

    Example:
    ```python
    from keras_gen.networks import residual_decoder, residual_encoder, transformer
    from keras_gen.vae import VQVAE
    sizes = dict(latent_dim=4, filters=8, residual_filters=4)
    encoder = residual_encoder((16, 16, 3), **sizes)
    coder = VQVAE(encoder, residual_decoder((16, 16, 3), **sizes), codebook_size=8)
    network = transformer(length=16, levels=8, units=8, blocks=1, heads=2, classes=10)
    prior = ClassCodePrior(network, coder, classes=10)
    prior.compile()
    images, labels = np.zeros((8, 16, 16, 3), "uint8"), np.arange(8)
    prior.fit(images, labels, batch_size=4)
    ships = prior.sample(9, seed=1, label=8)
    nats_of_codes = -prior.log_prob(prior.encode(images), labels)
    ```
    """

    batch = ("x", "labels")
    given = ("labels",)

    def __init__(
        self, network: keras.Model, coder: keras.Model, classes: int, seed: int = 0, **kwargs
    ):
        self.classes = checked_size("classes", classes)
        super().__init__(network, coder, seed, **kwargs)
        require_classes(self.classes, network)
        self.edges |= label_edges(classes)

    @override
    def from_noise(self, noise, label=-1, temperature=1.0):
        """Returns the examples of drawn codes of the given class, or of random ones."""
        codes = self.drawn_codes(noise, temperature, [label])
        return self.coder.reconstructed(self.coder.embedded(codes))

    @override
    @capability
    def log_prob(self, codes, labels):
        """Returns log p(codes given labels), float32 `[n]`, nats, of integer codes `[n, *grid]`."""
        return {"log_probs": -self.code_nats(codes, [labels])}

    @override
    @capability
    def bound(self, x, labels):
        """Returns the bound on log p(x given labels), float32 `[n]`, nats, by the codes."""
        codes = self.coder.codes(x)
        nats = self.coder.reconstruction(self.coder.embedded(codes), x)
        return {"bounds": -nats - self.code_nats(codes, [labels])}
