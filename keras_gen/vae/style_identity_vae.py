"""Separate codes for style and identity (Mathieu et al. 2016)."""

import dataclasses
from functools import partial
from typing import cast

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.autoencoders.coder import EncoderDecoder, require_moments
from keras_gen.core import (
    Player,
    capability,
    require_classes,
)
from keras_gen.core.kinds_of_data import Images, Labels
from keras_gen.core.schedules import Weight
from keras_gen.declared import Count, Named, argument, made_by, network
from keras_gen.losses import adversarial, kl_standard_normal
from keras_gen.losses.adversarial import Objective, discrimination


@keras.saving.register_keras_serializable("keras_gen")
class StyleIdentityVAE(EncoderDecoder):
    """A VAE with two codes per image: the style, and the identity, which a class's images share.

    Mathieu, Zhao, Sprechmann, Ramesh, LeCun: "Disentangling factors of variation in deep
    representations using adversarial training", NeurIPS 2016. The encoder returns the identity s,
    which is deterministic, and the distribution of the style z, which has a standard normal prior.
    To keep style out of s, an image is reconstructed from its own style and the identity of another
    image in its class. To keep the class out of z, a discriminator conditioned on the class
    compares real images with generated images. Each generated image combines an identity from
    another class with the style of the image or with a style sampled from the prior.

    `loss = reconstruction_loss + swap_weight * swap_loss + beta * kl_loss + adversarial_weight *
    adversarial_loss`, in nats per example. `fit` accepts the triples from
    `keras_gen.data.class_triples`: images and their labels, other images of these classes, and
    images of other classes with their labels. The discriminator is updated after the encoder and
    the decoder, on the same generated images. `score` is the sum of the divergence and the
    reconstruction loss, computed at the style's mean. `encode` returns the concatenated style and
    identity (see `split`); `swap` gives an image the identity of another image.

    Deviations: each triple is used in only one direction, which gives the same expected loss as
    using both directions. The discriminator's targets are not smoothed. The weights are relative to
    losses in nats, whereas the authors' code uses mean squared errors.

    Args:
        encoder: Network that maps images to a mean and a log variance `[batch, style]` and an
            identity `[batch, identity]`; `keras_gen.networks.with_head` adds the identity.
        decoder: Network that maps the style and the identity, `[batch, style + identity]`, to the
            likelihood's parameters.
        discriminator: Network that maps images and int32 labels `[batch]` to logits `[batch, ...]`,
            such as a network built with `keras_gen.networks.with_labels`.
        classes: Number of classes.
        likelihood: Likelihood p(x | style, identity), a name or an object.
        swap_weight: Weight of the reconstruction loss with a swapped identity, a number or a
            schedule.
        beta: Weight of the style's KL divergence, a number or a schedule.
        adversarial_weight: Weight of the adversarial loss, a number or a schedule.
        objective: Adversarial objective, a name or an object.
        seed: Seed for the noise of the styles.

    Raises:
        ValueError: If the networks do not match, or if a weight is negative.

    Example:
    ```python
    from keras_gen.data import Source, class_triples
    from keras_gen.networks import mlp_decoder, mlp_encoder, with_head, with_labels
    encoder = with_head(mlp_encoder(latent_dim=4, heads=("mean", "log_variance")), 6, "identity")
    discriminator = with_labels(mlp_encoder((28, 28, 1 + 10), latent_dim=1), 10)
    model = StyleIdentityVAE(encoder, mlp_decoder(latent_dim=10), discriminator, 10)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(class_triples(Source((digits, np.arange(8) % 2)), 4), steps_per_epoch=2)
    swapped = model.swap(digits[:4], digits[4:])
    ```
    """

    batch = ("x", "labels", "same", "other", "other_labels")
    no_builders = "has no standard networks: pass your own networks."

    encoder: keras.Model = network("x -> style style identity")
    decoder: keras.Model = network("codes -> parameters")
    discriminator: keras.Model = network("x y -> logits", kw_only=True)
    classes: Count = argument(kw_only=True)
    swap_weight: Weight = 1.0
    beta: Weight = 1.0
    adversarial_weight: Weight = 10.0
    objective: Named[Objective] = made_by(adversarial.get_of_fakes, default="non_saturating")

    @override
    def train_step(self, data):
        """Updates the encoder and the decoder, and then the discriminator on the same images."""
        batch = self.prepare_batch(data)

        def loss():
            terms, fakes = self.terms_and_fakes(batch)
            return self.weighted(terms), terms, fakes

        loss, terms, fakes = self.minimize(loss)

        def discriminator_loss():
            real_logits = self.discriminate(batch["other"], batch)
            fake_logits = [self.discriminate(fake, batch) for fake in fakes]
            return discrimination(self.objective, real_logits, *fake_logits)

        d_loss, d_accuracy = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, loss=loss, d_loss=d_loss, d_accuracy=d_accuracy)

    @override
    def terms(self, batch):
        return self.terms_and_fakes(batch)[0]

    def terms_and_fakes(self, batch) -> tuple[dict, list]:
        """Returns the terms of the loss, and generated images with other identities."""
        x = batch["x"]
        mean, log_variance, identity = self.heads(x)
        _, _, of_same = self.heads(batch["same"])
        _, _, of_other = self.heads(batch["other"])
        shape = keras.ops.shape(mean)
        style = mean + tf.exp(0.5 * log_variance) * self.normal("style", shape)
        styles = style, self.normal("prior", shape)
        own, swapped = [tf.concat([style, s], axis=-1) for s in (identity, of_same)]
        fakes = [self.reconstructed(tf.concat([z, of_other], -1)) for z in styles]
        logits = [self.discriminate(fake, batch) for fake in fakes]
        return {
            "reconstruction": self.reconstruction(own, x),
            "swap": self.reconstruction(swapped, x),
            "kl": kl_standard_normal(mean, log_variance),
            "adversarial": tf.reduce_mean([self.objective.generator(f) for f in logits], axis=0),
        }, fakes

    @override
    def loss_weights(self):
        weights = {"swap": self.swap_weight, "adversarial": self.adversarial_weight}
        return {"reconstruction": 1.0, "kl": self.beta} | weights

    @override
    def players(self):
        return {
            "optimizer": Player([self.encoder, self.decoder], partial(Adam, 1e-3)),
            "d_optimizer": Player([self.discriminator], partial(Adam, 2e-4, beta_1=0.5)),
        }

    @property
    @override
    def loss_names(self):
        return (*super().loss_names, "d_loss", "d_accuracy")

    @override
    def nats(self, x):
        mean, log_variance, identity = self.heads(x)
        codes = tf.concat([mean, identity], axis=-1)
        return self.reconstruction(codes, x) + kl_standard_normal(mean, log_variance)

    def discriminate(self, images, batch):
        """Returns the discriminator's logits for images, given the labels of `other`."""
        return self.discriminator([images, batch["other_labels"]], training=self.training)

    # Style and identity ----------------------------------------------------------------------

    def heads(self, x) -> list[tf.Tensor]:
        """Returns the style mean, the style log variance, and the identity of each example."""
        return super().encoded(x)

    @override
    def encoded(self, x, *given):
        """Returns the style's mean and the identity, concatenated."""
        mean, _, identity = super().encoded(x, *given)
        return [tf.concat([mean, identity], axis=-1)]

    def split(self, codes):
        """Splits codes `[n, style + identity]`, an array or a tensor, into style and identity."""
        style = self.encoder.outputs[0].shape[-1]
        return codes[:, :style], codes[:, style:]

    @capability
    def swap(self, x, other):
        """Returns examples with the style of `x` and the identity of `other`."""
        style, _ = self.split(self.encoded(x)[0])
        _, identity = self.split(self.encoded(other)[0])
        return {"x": self.reconstructed(tf.concat([style, identity], axis=-1))}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_moments(self.encoder, self.encoder.outputs[:2])
        taken = self.decoder.inputs[0].shape[-1]
        style, identity = (each.shape[-1] for each in self.encoder.outputs[1:])
        if taken != style + identity:
            raise ValueError(
                f"decoder accepts {taken} codes: expected {style + identity} codes, {style} for "
                f"the style and {identity} for the identity. Build a decoder that accepts this "
                "number of codes."
            )
        require_classes(self.classes, self.discriminator)
        images = cast(Images, self.edges["x"])
        for name in ("same", "other"):
            self.edges[name] = dataclasses.replace(images, name=f"{name}_images")
        self.edges["labels"] = Labels(self.classes)
        self.edges["other_labels"] = Labels(self.classes, name="other_labels")
