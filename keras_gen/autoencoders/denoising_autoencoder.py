"""The denoising autoencoder (Vincent et al. 2008, 2010)."""

import math
from typing import Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.core import for_users, schedules
from keras_gen.core.schedules import Weight


@keras.saving.register_keras_serializable("keras_gen")
class DenoisingAutoencoder(Autoencoder):
    """An autoencoder that reconstructs examples from corrupted versions of them.

    Vincent, Larochelle, Bengio, Manzagol: "Extracting and Composing Robust Features with Denoising
    Autoencoders", ICML 2008, and Vincent et al.: "Stacked Denoising Autoencoders", JMLR 2010, whose
    sec. 3.3 lists the three corruptions. The corruption is resampled in every step.
    `fit(noisy, clean)` trains the model to reconstruct clean examples from noisy examples. Unless
    `amount` is 0, the noisy examples are corrupted further.

    Deviations: see `Autoencoder`. In addition, all values of an example have the same weight in the
    loss, whereas sec. 3.4 of the second paper emphasizes corrupted values.

    Args:
        encoder: Network that maps examples to codes `[batch, ...]`.
        decoder: Network that maps codes to the likelihood's parameters.
        likelihood: Likelihood p(x | code), a name or an object.
        corruption: Type of corruption. `"masking"`: the fraction `amount` of the values is set to
            the minimum of the data's range or, in vectors, to 0 (the mean of standardized vectors).
            `"salt_and_pepper"`: the same fraction is set to the minimum or the maximum with equal
            probability. `"gaussian"`: normal noise with standard deviation `amount` is added;
            `amount` is in the units of the data or, for standardized data, in standard deviations.
        amount: Amount of corruption, a number or a schedule; see `corruption`.
        seed: Seed for the corruption.

    Raises:
        ValueError: If `corruption` is unknown, if `corruption` is `"salt_and_pepper"` for data
            without a maximum or `"gaussian"` for integers, or if `amount` is negative or is a
            fraction above 1.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    networks = mlp_encoder(latent_dim=64), mlp_decoder(latent_dim=64)
    model = DenoisingAutoencoder(*networks, corruption="masking", amount=0.25)
    ```
    """

    corruption: Literal["masking", "salt_and_pepper", "gaussian"] = "masking"
    amount: Weight = 0.25

    @override
    def terms(self, batch):
        return self.terms_of(batch, self.encoded(self.corrupt(batch["x"]))[0])

    @for_users
    def corrupt(self, x) -> tf.Tensor:
        """Returns corrupted examples `[batch, ...]`, with noise sampled for this step."""
        shape = keras.ops.shape(x)
        amount = self.scheduled(self.amount)
        if self.corruption == "gaussian":
            return x + amount * self.normal("corruption", shape)
        draw = self.uniform("corruption", shape)
        low, high = self.likelihood.range
        low = tf.cast(0.0 if math.isinf(low) else low, x.dtype)
        if self.corruption == "masking":
            return tf.where(draw < amount, low, x)
        high = tf.cast(high, x.dtype)
        return tf.where(draw < amount, tf.where(draw < amount / 2, low, high), x)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        if self.corruption == "salt_and_pepper" and math.inf in self.likelihood.range:
            raise ValueError(
                "corruption is 'salt_and_pepper', which requires bounded data: use 'masking' or "
                "'gaussian' for vectors."
            )
        if self.corruption == "gaussian" and self.likelihood.levels:
            raise ValueError(
                f"corruption is 'gaussian', but {self.likelihood} requires integers: use "
                "'masking' or 'salt_and_pepper'."
            )
        highest = None if self.corruption == "gaussian" else 1.0
        schedules.weight("amount", self.amount, high=highest)
