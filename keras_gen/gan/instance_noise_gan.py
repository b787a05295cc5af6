"""Instance noise (Sønderby et al. 2017; Arjovsky & Bottou 2017)."""

import keras
from typing_extensions import override

from keras_gen.core.schedules import Weight
from keras_gen.declared import argument
from keras_gen.gan.gan import GAN


@keras.saving.register_keras_serializable("keras_gen")
class InstanceNoiseGAN(GAN):
    """A GAN whose discriminator sees real and generated examples with noise, so that both overlap.

    Sønderby, Caballero, Theis, Shi, Huszár: "Amortised MAP Inference for Image Super-resolution",
    ICLR 2017; Arjovsky, Bottou: "Towards Principled Methods for Training Generative Adversarial
    Networks", ICLR 2017. Distributions without common support can be separated perfectly, which
    leaves the generator without a gradient. Normal noise added to real and generated examples gives
    both distributions positive densities everywhere; the noisy densities are equal only if the
    original distributions are equal. The noise is resampled each time and can be annealed with a
    schedule.

    Deviations: none. The papers adapt the noise to their data, so `std` has no default.

    Args:
        generator: Network that maps float latents `[batch, latents]` to examples.
        discriminator: Network that maps examples to logits `[batch, ...]`.
        std: Standard deviation of the noise, a number or a schedule, in units of the examples
            (images are in [-1, 1]).
        objective: Adversarial objective, a name or an object.
        penalty: See `GAN`; the penalty is computed on noisy examples.
        discriminator_steps: See `GAN`.
        seed: Seed for the latents and the noise.

    Raises:
        ValueError: If `std` is negative; see also `GAN`.

    Example:
    ```python
    from keras_gen.core.schedules import Linear
    std = Linear(0.5, 0.0, steps=1000)
    model = InstanceNoiseGAN.for_images((32, 32, 1), latent_dim=16, filters=8, std=std)
    model.compile()
    model.fit(np.zeros((8, 32, 32, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    std: Weight = argument(kw_only=True)

    @override
    def discriminator_terms(self, batch, fake, use):
        batch, fake = self._noisy(batch, fake, use)
        return super().discriminator_terms(batch, fake, use)

    @override
    def generator_terms(self, batch):
        fake = self.generated("generator", batch)
        batch, fake = self._noisy(batch, fake, "generator")
        return {"adversarial": self.adversarial_loss(fake, batch)}

    @override
    def logits_of_both(self, batch, fake):
        return super().logits_of_both(*self._noisy(batch, fake, "logits"))

    def _noisy(self, batch, fake, use):
        """Adds separate noise to the batch and to the generated examples."""
        std = self.scheduled(self.std)
        shape = keras.ops.shape(fake)
        real = batch["x"] + std * self.normal(f"noise on real for {use}", shape)
        fake = fake + std * self.normal(f"noise on fake for {use}", shape)
        return batch | {"x": real}, fake
