"""A GAN whose discriminator also sees earlier generated images (Shrivastava et al. 2017)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core import ImagePool
from keras_gen.declared import CountFrom0, Named, Steps, argument, made_by
from keras_gen.gan.gan import GAN
from keras_gen.losses import adversarial, penalties
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.penalties import Penalty


@keras.saving.register_keras_serializable("keras_gen")
class HistoryGAN(GAN):
    """A GAN whose discriminator is also trained on earlier generated images.

    Shrivastava, Pfister, Tuzel, Susskind, Wang, Webb: "Learning from Simulated and Unsupervised
    Images through Adversarial Training", CVPR 2017, sec. 2.3. A discriminator that sees only the
    newest images forgets older images. The generator can then alternate between modes indefinitely.

    Deviations: `ImagePool` stores the history, as in CycleGAN: with probability 1/2, a generated
    image is replaced with an older image. The paper instead samples half of every batch from a
    buffer.

    Args:
        generator: Network that maps float latents `[batch, latents]` to images in [-1, 1].
        discriminator: Network that maps images to logits `[batch, ...]`.
        pool_size: Number of images in the history, at least the global batch size.
        objective: See `GAN`.
        seed: Seed for the latents and the replacement of images.
        **kwargs: Additional arguments for `GAN`, such as `penalty`.

    Raises:
        ValueError: See `GAN` and `ImagePool`.

    Example:
    ```python
    model = HistoryGAN.for_images((32, 32, 1), latent_dim=16, filters=8, pool_size=100)
    model.compile()
    model.fit(np.zeros((8, 32, 32, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    pool_size: CountFrom0 = 1000
    objective: Named[Objective] = made_by(adversarial.get, default="non_saturating", later=True)
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None, kw_only=True)
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    @override
    def update_discriminator(self, batch, fake, use):
        """Updates the discriminator on generated images, after replacing some by older images."""
        if not (self.pool_size and self.training):
            return super().update_discriminator(batch, fake, use)
        exchanged, change = self.pool.exchanged(fake, self.stateless_seed(f"{use}/pool"))
        loss, terms = super().update_discriminator(batch, exchanged, use)
        with tf.control_dependencies([loss]):
            self.pool.keep(change)
        return loss, terms

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        self.pool = ImagePool(self.pool_size, self.edges["x"].shape)
