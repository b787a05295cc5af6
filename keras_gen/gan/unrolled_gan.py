"""Unrolled GANs (Metz, Poole, Pfau, Sohl-Dickstein 2017)."""

from functools import partial
from typing import Annotated

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer
from keras_gen.core import global_mean, global_sum, stateless
from keras_gen.declared import Named, Positive, Steps, argument, made_by
from keras_gen.gan.gan import GAN
from keras_gen.losses import penalties
from keras_gen.losses.penalties import Penalty

MOST_UNROLLED = 100  # maximum number of unrolled steps, all of which are part of the graph
Unrolled = Annotated[int, partial(checked_integer, minimum=0, maximum=MOST_UNROLLED)]


@keras.saving.register_keras_serializable("keras_gen")
class UnrolledGAN(GAN):
    """A GAN whose generator is trained against a discriminator that is a few steps ahead.

    Metz, Poole, Pfau, Sohl-Dickstein: "Unrolled Generative Adversarial Networks", ICLR 2017. As in
    `GAN`, the discriminator first takes one ordinary step (eq. 12). Then, the generator takes a
    step whose gradient, eq. (10), passes through the steps that the discriminator would take next.

    Deviations: the unrolled steps use gradient descent, eq. (8), with a separate learning rate,
    whereas the authors' code unrolls Adam.

    Args:
        generator: Network that maps float latents `[batch, latents]` to images in [-1, 1].
        discriminator: Network that maps images to logits `[batch, ...]`.
        objective: Adversarial objective, a name or an object.
        unrolled_steps: Number K of steps by which the discriminator is ahead, from 0 to 100. The
            paper uses 5 or 10; 0 gives a standard GAN.
        unrolled_rate: Learning rate eta of the unrolled steps.
        seed: Seed for the latents.

    Raises:
        ValueError: If `unrolled_steps` is out of range, or if `unrolled_rate` is not positive; see
            also `GAN`.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator
    shape = (32, 32, 1)
    discriminator = dcgan_discriminator(shape, filters=8, normalization=None)
    model = UnrolledGAN(dcgan_generator(shape, 16, filters=8), discriminator, unrolled_steps=2)
    model.compile()
    model.fit(np.zeros((8, *shape), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    unrolled_steps: Unrolled = 5
    unrolled_rate: Positive = 1e-2
    penalty: Named[Penalty | None] = made_by(penalties.get, default=None, kw_only=True)
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    @override
    def generator_terms(self, batch):
        """Returns the generator's loss against the discriminator that is K steps ahead, eq. (9)."""
        fake = self.generated("generator", batch)
        with stateless(self.discriminator, self._unrolled(batch, fake)):
            return {"adversarial": self.adversarial_loss(fake, batch)}

    def _unrolled(self, batch, fake):
        """Returns the discriminator's weights after K steps of gradient descent, eq. (8).

        All steps use the same batch, the same generated examples, and the discriminator's usual
        loss.
        """
        weights = [tf.convert_to_tensor(v.value) for v in self.discriminator.trainable_variables]
        for _ in range(self.unrolled_steps):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(weights)
                with stateless(self.discriminator, weights):
                    terms = self.discriminator_terms(batch, fake, "unrolled")
                loss = global_mean(self.weighted(terms))
            # The gradients are summed over all replicas.
            slopes = [global_sum(slope) for slope in tape.gradient(loss, weights)]
            weights = [w - self.unrolled_rate * s for w, s in zip(weights, slopes, strict=True)]
        return weights
