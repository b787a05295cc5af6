"""Generative adversarial networks (Goodfellow et al. 2014)."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.losses import adversarial, penalties
from keras_gen.training import GenerativeModel, minimize, require, require_built
from keras_gen.training.noise import stateless_seed


@keras.saving.register_keras_serializable("keras_gen")
class GAN(GenerativeModel):
    """One generator against one discriminator.

    Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014, algorithm 1. With the networks
    of `keras_gen.networks.dcgan` it is the DCGAN of Radford, Metz, Chintala, ICLR 2016.

    Deviation: the discriminator sees real and generated images in two passes, so that batch
    normalisation never mixes them, as DCGAN's authors do; algorithm 1 has no such layers.

    Args:
        generator: Float latents `[batch, latents]` to images in [-1, 1].
        discriminator: Images to logits of any shape `[batch, ...]`.
        objective: Adversarial objective, a name or an object. `"minimax"` is eq. (1),
            `"non_saturating"` the one that sec. 3 recommends.
        penalty: None, or `"gradient"` or an object, added to the discriminator's loss.
        discriminator_steps: k of algorithm 1. A batch given to `fit` holds the k fresh batches.
        seed: Seed of the latents.

    Raises:
        ValueError: If the generator's latents are not one known number, or k is below 1.

    Example:
    ```python
    from keras_gen.networks import dcgan_discriminator, dcgan_generator

    shape = (32, 32, 1)
    model = GAN(dcgan_generator(shape, 16, filters=8), dcgan_discriminator(shape, filters=8))
    model.compile()
    model.fit(np.zeros((8, *shape), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    reported = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy")

    def __init__(
        self,
        generator,
        discriminator,
        objective="non_saturating",
        penalty=None,
        discriminator_steps: int = 1,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        require_built(generator, discriminator)
        if len(generator.input_shape) != 2 or generator.input_shape[1] is None:
            raise ValueError(
                f"The generator's input has shape {generator.input_shape}: expected latents "
                "[batch, number], with a known number."
            )
        if discriminator_steps < 1:
            raise ValueError(f"discriminator_steps is {discriminator_steps}: at least 1.")
        self.generator, self.discriminator = generator, discriminator
        self.objective = adversarial.get(objective)
        self.penalty = penalties.get(penalty)
        self.discriminator_steps = discriminator_steps

    @property
    def latents(self) -> int:
        """Number of latents."""
        return self.generator.input_shape[1]

    def players(self) -> dict:
        """Returns the discriminator and the generator, each with its optimizer."""
        return {"d_optimizer": [self.discriminator], "g_optimizer": [self.generator]}

    def compile(self, d_optimizer=None, g_optimizer=None, **kwargs):
        """Compiles with one optimizer each.

        Args:
            d_optimizer: Default: Adam(2e-4, beta_1=0.5), DCGAN's (sec. 3).
            g_optimizer: Likewise.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        d_optimizer = d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5)
        g_optimizer = g_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5)
        super().compile(d_optimizer=d_optimizer, g_optimizer=g_optimizer, **kwargs)

    def call(self, latents, training=False):
        """Turns latents `[batch, latents]` into images in [-1, 1]."""
        return self.generator(latents, training=training)

    def train_step(self, data):
        """Algorithm 1: k updates of the discriminator, then one of the generator."""
        images = self._images(data)
        for k, real in enumerate(self._split(images)):
            # The generator takes no gradient from this loss, so its pass stays off the tape.
            fake = self._generate(f"discriminator {k}", keras.ops.shape(real)[0])

            def discriminator_loss(real=real, fake=fake, k=k):
                real_logits = self.discriminator(real, training=True)
                fake_logits = self.discriminator(fake, training=True)
                loss = self.objective.discriminator(real_logits, fake_logits)
                if self.penalty is not None:
                    ones = [1] * (real.shape.rank - 1)
                    mix = self.uniform(f"penalty {k}", [keras.ops.shape(real)[0], *ones])
                    loss += self.penalty(self.discriminator, real, fake, mix)
                return loss, (real_logits, fake_logits)

            d_loss, logits = minimize(discriminator_loss, self.d_optimizer, self.discriminator)

        def generator_loss():
            fakes = self._generate("generator", keras.ops.shape(real)[0])
            return self.objective.generator(self.discriminator(fakes, training=True))

        g_loss = minimize(generator_loss, self.g_optimizer, self.generator)
        return self.report(d_loss=d_loss, g_loss=g_loss, **_accuracies(*logits))

    def test_step(self, data):
        """Returns the same losses on held-out images, with inference-mode networks."""
        real = self._images(data)
        fake = self._generate("test", keras.ops.shape(real)[0], training=False)
        real_logits = self.discriminator(real, training=False)
        fake_logits = self.discriminator(fake, training=False)
        return self.report(
            training=False,
            d_loss=self.objective.discriminator(real_logits, fake_logits),
            g_loss=self.objective.generator(fake_logits, real_logits),
            **_accuracies(real_logits, fake_logits),
        )

    def sample(self, n: int, seed: int | None = None, batch_size: int = 64) -> np.ndarray:
        """Draws images.

        Args:
            n: How many.
            seed: The same seed gives the same images; None draws anew.
            batch_size: Images at once.

        Returns:
            uint8 `[n, height, width, channels]`.

        Raises:
            ValueError: If `n` is below 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}: draw at least 1 image.")
        seed = int(np.random.default_rng(seed).integers(2**31))
        latents = self._sample_latents(n, seed)
        parts = [latents[i : i + batch_size] for i in range(0, n, batch_size)]
        return np.concatenate([self._draw(part).numpy() for part in parts])

    def _sample_latents(self, n, seed):
        key = stateless_seed(0, seed, "sample")
        return tf.random.stateless_normal([n, self.latents], key)

    @property
    def _draw(self):
        """Latents to uint8 images as a graph, traced once and kept."""
        if not hasattr(self, "_draw_graph"):
            self._draw_graph = tf.function(
                lambda latents: self.to_uint8(self.generator(latents, training=False)),
                input_signature=[tf.TensorSpec([None, self.latents])],
            )
        return self._draw_graph

    def signatures(self) -> dict:
        """Returns `sample(seed, n)` and `generate(latents)`, both to uint8 images."""

        def sample(seed, n):
            return generate(self._sample_latents(n, seed))

        def generate(latents):
            return {"images": self.to_uint8(self.generator(latents, training=False))}

        scalars = [tf.TensorSpec([], tf.int32, name=name) for name in ("seed", "n")]
        latents = tf.TensorSpec([None, self.latents], tf.float32, name="latents")
        return {"sample": (sample, scalars), "generate": (generate, [latents])}

    def _images(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.prepare(images)

    def _split(self, images):
        k, batch = self.discriminator_steps, keras.ops.shape(images)[0]
        sentence = (
            "A replica's batch of {} cannot be cut into the equal parts of discriminator_steps={}: "
            "choose a multiple."
        )
        with tf.control_dependencies([require(batch % k == 0, sentence, batch, k)]):
            # Every k-th example, and not the k-th part, so that N replicas form the parts of one.
            return tf.unstack(tf.reshape(images, [-1, k, *images.shape[1:]]), axis=1)

    def _generate(self, use, batch, training=True):
        latents = self.normal(use, [batch, self.latents], training)
        return self.generator(latents, training=training)


def _accuracies(real_logits, fake_logits):
    """Shares of each kind that the discriminator tells right."""
    right = {"real_accuracy": real_logits > 0, "fake_accuracy": fake_logits < 0}
    return {
        name: tf.reduce_mean(tf.cast(value, tf.float32), axis=list(range(1, value.shape.rank)))
        for name, value in right.items()
    }
