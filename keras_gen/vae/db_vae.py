"""The debiasing VAE (Amini et al. 2019)."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, shown
from keras_gen.classifiers import classify, set_label_edges
from keras_gen.core.capabilities import for_users
from keras_gen.core.kinds_of_data.kind_of_data import as_tensor
from keras_gen.core.schedules import Weight
from keras_gen.data.batches.weighted import inverse_density
from keras_gen.declared import (
    CountFrom0,
    Examples,
    NonNegative,
    Positive,
    argument,
    network,
)
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.vae.sampling_weights import SamplingWeights
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class DBVAE(VAE):
    """A classifier that resamples examples of one class, so that rare latents occur more often.

    Amini, Soleimany, Schwarting, Bhatia, Rus: "Uncovering and Mitigating Algorithmic Bias through
    Learned Latent Structure", AIES 2019. One encoder returns the class logits and the
    latents. `loss = weight * classification_loss + reconstruction_loss + beta * kl_loss`, in nats
    per example. The last two terms are 0 for examples of classes other than `positive` (faces in
    the paper). Examples without a label (-1) have no loss.

    `reweigh` performs lines 3 to 5 of algorithm 1. This method estimates the density of each latent
    over the training examples with a histogram, and sets the weight of an example to the product of
    1 / (density + alpha) over the latents. Call `reweigh` before every epoch, and train on
    `keras_gen.data.weighted_stream` with `model.sampling`. Batches that were sampled before the
    last call are rejected. Without `reweigh` and `weighted_stream`, `fit(images, labels)` samples
    all examples uniformly.

    Deviations: the histograms have bins of equal width, and are computed from the latents' means,
    because samples of the latents would add noise for each unused latent. Examples of other classes
    keep the weight 1. The new weights are scaled to a mean of 1, so that class frequencies do not
    change. The reconstruction loss is a negative log-likelihood. The best weights for the three
    terms depend on the data, so choose them on held-out examples.

    Args:
        encoder: Network that maps examples to a mean and a log variance `[batch, latents]` and to
            logits `[batch, classes]`; `keras_gen.networks.with_head` adds the logits.
        decoder: Network that maps latents `[batch, latents]` to the likelihood's parameters.
        dataset_size: Number of training examples, each of which has a sampling weight.
        likelihood: Likelihood p(x|z), a name or an object.
        positive: Class whose latents are learned and whose examples are resampled.
        weight: Weight of the cross-entropy, a number or a schedule.
        beta: Weight of the KL divergence, a number or a schedule.
        alpha: Nonnegative number added to each density. Larger values result in more uniform
            weights.
        bin_width: Width of the histograms' bins, in units of the prior's standard deviation.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks have different numbers of latents, or if an argument is out of
            range.

    Example:
    ```python
    from keras_gen.data import Source, weighted_stream
    from keras_gen.networks import mlp_decoder, mlp_encoder, with_head
    encoder = mlp_encoder(latent_dim=4, heads=("mean", "log_variance"))
    model = DBVAE(with_head(encoder, 2), mlp_decoder(latent_dim=4), dataset_size=8)
    model.compile()
    digits, labels = np.zeros((8, 28, 28, 1), "uint8"), np.array([0, 1] * 4)
    stream = weighted_stream(Source((digits, labels)), model.sampling, 4)
    reweigh = keras.callbacks.LambdaCallback(lambda epoch, logs: model.reweigh(digits, labels))
    model.fit(stream, steps_per_epoch=2, epochs=2, callbacks=[reweigh])
    logits = model.classify(digits)
    ```
    """

    batch = ("x", "labels")
    no_builders = "has no standard networks: pass your own networks."
    classify = classify

    encoder: keras.Model = network("x -> z z logits")
    decoder: keras.Model = network("z -> parameters")
    dataset_size: Examples = argument(kw_only=True)
    positive: CountFrom0 = 1
    weight: Weight = 100.0
    beta: Weight = argument(default=1.0, later=True)
    alpha: NonNegative = 0.01
    bin_width: Positive = 0.5

    @override
    def terms(self, batch):
        x, labels = batch["x"], batch["labels"]
        *posterior, logits = super().encoded(x)
        terms = self.elbo_terms(x, self.drawn(posterior, self.stateless_seed("latents")))
        terms = {n: tf.where(labels == self.positive, term, 0.0) for n, term in terms.items()}
        return terms | {"classification": label_cross_entropy(labels, logits)}

    @override
    def loss_weights(self):
        return super().loss_weights() | {"classification": self.weight}

    @override
    def encoded(self, x, *given):
        return super().encoded(x, *given)[:2]

    def logits(self, x) -> tf.Tensor:
        """Returns the class logits of examples, float32 `[batch, classes]`."""
        return super().encoded(x)[2]

    @override
    def named_parts(self, data):
        """Also accepts draws, which `weighted_stream` adds to batches; rejects outdated draws."""
        return super().named_parts(self.sampling.without_draw(data))

    @for_users
    def reweigh(self, images, labels) -> None:
        """Sets the sampling weights of all training examples based on the density of their latents.

        Args:
            images: Training examples, in the order of the stream's source.
            labels: Classes of the training examples, integers `[dataset_size]`.

        Raises:
            TypeError: If an argument is not an array.
            ValueError: If the number of images or labels differs from `dataset_size`, or if no
                label is the positive class.
        """
        images = np.asarray(as_tensor(images, "images"))
        labels = np.asarray(as_tensor(labels, "labels"))
        size = (self.dataset_size,)
        if images.shape[:1] != size or labels.shape != size or labels.dtype.kind not in "iu":
            raise ValueError(
                f"reweigh got images {shown(images)} and labels {shown(labels)}: expected "
                f"{self.dataset_size} images, and an integer label for each."
            )
        learned = labels == self.positive
        if not learned.any():
            raise ValueError(
                f"labels does not contain {self.positive}: expected examples of the positive "
                "class."
            )
        weights = np.ones(len(learned))
        mean, _ = self.encode(images[learned])
        weights[learned] = inverse_density(mean, self.alpha, self.bin_width)
        self.sampling.assign(weights)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        classes = self.encoder.outputs[2].shape[-1]
        set_label_edges(self, classes)
        checked_integer("positive", self.positive, 0, classes - 1)
        self.sampling = SamplingWeights(self.dataset_size)
