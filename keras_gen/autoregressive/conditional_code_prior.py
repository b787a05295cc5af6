"""A prior over codes given the class of an example (Esser, Rombach, Ommer 2021)."""

import keras
from typing_extensions import override

from keras_gen.autoregressive.code_prior import CodePrior
from keras_gen.core import require_classes
from keras_gen.core.kinds_of_data import label_edges
from keras_gen.declared import Count, network


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalCodePrior(CodePrior):
    """An autoregressive prior over the codes of examples, conditioned on their class.

    Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021, eq.
    (9): the class precedes the codes, and the coder does not use the class. `fit(images, labels)`
    accepts integer labels.

    A coder may also use the condition, such as the speaker in van den Oord, Vinyals, Kavukcuoglu:
    "Neural Discrete Representation Learning", NeurIPS 2017, sec. 4.3: a WaveNet is the prior over
    the codes of speech and determines the words, and the decoder of a `ConditionalVQVAE` speaks
    them in a speaker's voice. In that case, `fit(waveforms, speakers)` and `sample(n, speaker=2)`
    use the coder's name for the condition.

    Args:
        network: Network that maps codes and int32 labels `[batch]` to logits, such as
            `keras_gen.networks.transformer` or `wavenet` with `classes`; see `CodePrior`.
        coder: Trained model with integer codes; see `CodePrior`.
        classes: Number of classes. If None, the coder's number of classes is used.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the network or the coder has a different number of classes; see also
            `CodePrior`.

    Example:
    ```python
    from keras_gen.networks import residual_decoder, residual_encoder, transformer
    from keras_gen.vae import VQVAE
    sizes = dict(latent_dim=4, filters=8, residual_filters=4)
    encoder = residual_encoder((16, 16, 3), **sizes)
    coder = VQVAE(encoder, residual_decoder((16, 16, 3), **sizes), codebook_size=8)
    network = transformer(length=16, levels=8, units=8, blocks=1, heads=2, classes=10)
    prior = ConditionalCodePrior(network, coder, classes=10)
    prior.compile()
    images, labels = np.zeros((8, 16, 16, 3), "uint8"), np.arange(8)
    prior.fit(images, labels, batch_size=4)
    ships = prior.sample(9, seed=1, label=8)
    nats_of_codes = -prior.log_prob(prior.encode(images), labels)
    ```
    """

    network: keras.Model = network("codes labels -> parameters")
    classes: Count | None = None

    @override
    def set_up(self):
        super().set_up()
        name = next(iter(self.labels_of_coder()), "labels")
        classes = self.classes
        if name in self.labels_of_coder():
            classes = self.coder.edges[name].classes
        if classes is None or self.classes not in (None, classes):
            raise ValueError(
                f"classes is {self.classes}, but the coder '{self.coder.name}' has "
                f"{'none' if classes is None else classes}: pass the number of classes of the "
                "labels. If the coder is class-conditional, leave out classes."
            )
        require_classes(classes, self.network)
        self.condition_on(name, label_edges(classes, name))
        if name in self.coder.edges:
            # Use the coder's edge, because it may contain the names of the classes.
            self.edges[name] = self.coder.edges[name]


# Register the class under its name in files written by earlier versions.
keras.saving.get_custom_objects()["keras_gen>ClassCodePrior"] = ConditionalCodePrior
