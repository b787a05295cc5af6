"""The VQGAN (Esser, Rombach, Ommer 2021)."""

import math
from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import (
    Player,
    global_mean,
)
from keras_gen.core.schedules import Weight
from keras_gen.declared import Named, made_by, network
from keras_gen.keras_internals import put_first
from keras_gen.losses import adversarial, likelihoods
from keras_gen.losses.adversarial import Objective, discrimination
from keras_gen.losses.feature_losses import feature_distance, slope_ratio
from keras_gen.losses.regularizers import last_kernel
from keras_gen.networks import patch_discriminator, residual_decoder, residual_encoder
from keras_gen.vae.quantized.vq_vae import VQVAE


@keras.saving.register_keras_serializable("keras_gen")
class VQGAN(VQVAE):
    """A VQ-VAE trained with a patch discriminator, so that its reconstructions look real.

    Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021,
    sec. 3.1. Two terms are added to the loss of `VQVAE`: the distance between the features of
    images and of their reconstructions in a frozen network, and the adversarial loss of the
    reconstructions (eq. 5). The adversarial loss is weighted by lambda from eq. (7), which balances
    the gradients of the adversarial loss and of the other terms with respect to the decoder's last
    kernel. The codes do not need to encode textures, because the decoder can invent them. `loss =
    reconstruction_loss + beta * commitment_loss + feature_weight * feature_loss +
    adversarial_weight * adversarial_loss`, in nats per example; `adversarial_loss` includes the
    factor lambda, which is reported as `adaptive_weight`. The discriminator is updated after the
    encoder and the decoder, on new reconstructions. `score` is -log p(x | codes). A prior over the
    codes is learned afterward, as with `VQVAE`.

    Deviations: the loss contains both squared errors and feature distances, whereas sec. 3.1
    replaces squared errors with feature distances, and the authors' code adds absolute differences.
    By default, the codebook is updated with moving averages of the latents. Any feature network can
    be used instead of a VGG fitted to human judgments. The discriminator is trained from the first
    step, whereas the authors' code delays its training; a schedule for `adversarial_weight` delays
    its effect on the decoder.

    Args:
        encoder: Network that maps examples to latents `[batch, ..., dim]`.
        decoder: Network that maps codes `[batch, ..., dim]` to the likelihood's parameters.
        discriminator: Network that maps images in the likelihood's range to logits `[batch, ...]`,
            such as `keras_gen.networks.patch_discriminator`.
        feature_network: Network that maps images in this range to one or more feature maps
            `[batch, ..., channels]`. The network is not trained;
            `keras_gen.networks.activation_maps` extracts such a network from a classifier.
        likelihood: Likelihood p(x|z), a name or an object.
        feature_weight: Weight of the feature distance, a number or a schedule. The distance is
            multiplied by the number of values in an image, to match the likelihood.
        adversarial_weight: Factor applied to lambda, a number or a schedule.
        objective: Adversarial objective, a name or an object.
        codebook_size, commitment_weight, decay, dead_after, codebook_update, seed: See
            `VQVAE`.

    Raises:
        ValueError: If a weight is negative; see also `VQVAE`.

    Example:
    ```python
    from keras_gen.networks import (
        activation_maps, conv_classifier, patch_discriminator, residual_decoder, residual_encoder
    )
    sizes = dict(latent_dim=4, filters=8, residual_filters=4)
    model = VQGAN(
        residual_encoder((32, 32, 3), **sizes),
        residual_decoder((32, 32, 3), **sizes),
        patch_discriminator((32, 32, 3), filters=4, strided_layers=2),
        activation_maps(conv_classifier()),  # should be trained
        codebook_size=16,
    )
    model.compile()
    model.fit(np.zeros((4, 32, 32, 3), "uint8"), batch_size=2)
    ```
    """

    discriminator: keras.Model = network("x -> logits", kw_only=True)
    feature_network: keras.Model = network("x -> ...", kw_only=True)
    feature_weight: Weight = 1.0
    adversarial_weight: Weight = 1.0
    objective: Named[Objective] = made_by(adversarial.get_of_fakes, default="hinge")

    @override
    def train_step(self, data):
        """Updates the encoder and the decoder, then the codebook, then the discriminator."""
        batch = self.prepare_batch(data)
        loss, terms, quantized = self.update_coder(batch)
        fake = self.reconstructed(quantized[1])

        def discriminator_loss():
            real_logits = self.discriminator(batch["x"], training=self.training)
            fake_logits = self.discriminator(fake, training=self.training)
            return discrimination(self.objective, real_logits, fake_logits)

        d_loss, d_accuracy = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, loss=loss, d_loss=d_loss, d_accuracy=d_accuracy)

    @override
    def terms_of(self, batch, latents, vectors, codes):
        x = batch["x"]
        last = last_kernel(self.decoder).value
        values = math.prod(x.shape[1:])
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(last)
            parameters = self.decoder(vectors, training=self.training)
            images = self.likelihood.mean(parameters)
            maps = [self.feature_network(each, training=False) for each in (x, images)]
            reconstruction = -self.likelihood.log_prob(parameters, x)
            feature = values * feature_distance(*maps)
            # The sum of both terms is L_rec of eq. (7).
            rest = global_mean(reconstruction + self.scheduled(self.feature_weight) * feature)
            logits = self.discriminator(images, training=self.training)
            generator_loss = self.objective.generator(logits)
            played = global_mean(generator_loss)
        slopes = [tape.gradient(loss, last) for loss in (rest, played)]
        weight = slope_ratio(*slopes, most=1e4 * values)  # eq. (7)
        terms = {
            "reconstruction": reconstruction,
            "feature": feature,
            "adversarial": weight * generator_loss,
            "adaptive_weight": weight * tf.ones_like(generator_loss),
        }
        return terms | self.quantizer.terms(latents, codes)

    @override
    def loss_weights(self):
        weights = {"feature": self.feature_weight, "adversarial": self.adversarial_weight}
        return super().loss_weights() | weights | {"adaptive_weight": None}

    @override
    def players(self):
        others = self.discriminator, self.feature_network
        own = [part for part in super().players()["optimizer"].networks if part not in others]
        adam = partial(Adam, 2e-4, 0.5, 0.9)
        return {
            "optimizer": Player(own, adam),
            "d_optimizer": Player([self.discriminator], adam),
        }

    @property
    @override
    def loss_names(self):
        return (*super().loss_names, "d_loss", "d_accuracy")

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        put_first(self, self.encoder, self.decoder, self.quantizer)

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        feature_network: keras.Model,
        latent_dim: int = 16,
        filters: int = 64,
        **kwargs,
    ):
        """Builds the model with residual networks and a patch discriminator.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 12 pixels.
            feature_network: Trained network that maps images in [-1, 1] to feature maps, such as
                `keras_gen.networks.vgg_features()`, or the `activation_maps` of a classifier.
            latent_dim: Number of dimensions of a code's vector.
            filters: Base number of channels in the networks.
            **kwargs: Additional arguments for the class.

        Example: `VQGAN.for_images((64, 64, 3), vgg_features("block2_conv2"))`.
        """
        sizes = dict(
            latent_dim=latent_dim, filters=filters, residual_filters=max(1, filters // 2)
        )
        likelihood = likelihoods.get(kwargs.get("likelihood", "normal"))
        outputs = (*shape[:-1], shape[-1] * likelihood.params_per_value)
        return cls(
            residual_encoder(shape, **sizes),
            residual_decoder(outputs, **sizes),
            patch_discriminator(shape, filters),
            feature_network,
            **kwargs,
        )
