"""A generator and a discriminator against each other: GANs, and models based on them."""

from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.data.transforms.differentiable_augmentations import augment, check_augmentations
from keras_gen.losses import adversarial, penalties
from keras_gen.losses.base import per_example_mean
from keras_gen.training import GenerativeModel, Player, parts, stateless

ACCURACIES = ("real_accuracy", "fake_accuracy")


class AdversarialModel(GenerativeModel):
    """Base of models of two players, a generator and a discriminator (Goodfellow et al. 2014).

    A method writes its `train_step` from the terms of both losses (`discriminator_terms`,
    `generator_terms`). It overrides the generated examples (`generated`), the real ones (`real`),
    the discriminator's inputs (`shown`) or its logits (`discriminate`). The first term of each loss
    has weight 1, the others those of `loss_weights`. `evaluate` computes the same terms.

    Args:
        generator: From noise to examples.
        discriminator: The network of the other player.
        objective: Adversarial objective, a name or an object.
        penalty: None, or a penalty on the discriminator, a name or an object.
        discriminator_steps: Updates of the discriminator for one of the generator: k of algorithm
            1. A batch given to `fit` holds the k fresh batches.
        seed: Seed of all randomness in the steps.
        augmentation: Names of `"color"`, `"translation"`, `"cutout"` and `"affine"`: random changes
            of the discriminator's images, real and generated (`data.augment`).
        **kwargs: `name` and the like, of `keras.Model`.

    Raises:
        ValueError: If `discriminator_steps` is below 1, the penalty does not fit the discriminator,
            or an augmentation is unknown.
    """

    totals = ("d_loss", "g_loss")

    def __init__(
        self, generator, discriminator, objective, penalty=None, discriminator_steps=1, seed=0,
        augmentation=(), **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        if discriminator_steps < 1:
            raise ValueError(f"discriminator_steps is {discriminator_steps}: at least 1.")
        self.generator = generator
        self.discriminator = discriminator
        self.objective = adversarial.get(objective)
        self.penalty = penalties.get(penalty)
        self.discriminator_steps = discriminator_steps
        self.augmentation = check_augmentations(augmentation)
        if self.penalty is not None:
            self.penalty.check(discriminator)

    @override
    def players(self):
        return {
            "d_optimizer": Player([self.discriminator], self.default_optimizer),
            "g_optimizer": Player([self.generator], self.default_optimizer),
        }

    def default_optimizer(self):
        """Returns the default optimizer: DCGAN's, Adam(2e-4, beta_1=0.5)."""
        return Adam(2e-4, beta_1=0.5)

    @override
    def loss_weights(self) -> dict:
        return dict.fromkeys(ACCURACIES)

    def minibatches(self, batch: dict) -> list[dict]:
        """Returns the batches of the k updates, equal in size."""
        k = self.discriminator_steps
        if k == 1:
            return [batch]
        fresh: list[dict] = []
        for name, values in batch.items():
            for number, part in enumerate(parts(values, k)):
                if number == len(fresh):
                    fresh.append({})
                fresh[number][name] = part
        return fresh

    # What the discriminator is shown ---------------------------------------------------------

    def generated(self, use: str, batch: dict, training: bool):
        """Returns generated examples; each `use` in this step draws other noise."""
        raise NotImplementedError(f"{type(self).__name__} does not say what is generated.")

    def real(self, batch: dict):
        """Returns the real examples of a batch."""
        return batch["x"]

    def shown(self, images, batch: dict):
        """Returns the discriminator's inputs: images alone, or a list of them and conditions."""
        return images

    def discriminate(
        self, images, batch: dict, training: bool, keep_state: bool = False, network=None
    ):
        """Returns the discriminator's logits, or a list of all outputs of one with further heads.

        With `keep_state` moving statistics do not change. `network` replaces the discriminator,
        such as by a part of it.
        """
        network = network or self.discriminator
        shown = self.shown(images, batch)
        if self.augmentation:
            shown = self.augmented(shown, training)
        if keep_state:
            with stateless():
                return network(shown, training=training)
        return network(shown, training=training)

    def logits_of_both(self, batch: dict, fake, training: bool) -> list:
        """Returns the logits of the real examples and of generated ones, without further heads."""
        return [self.logits_of(each, batch, training) for each in (self.real(batch), fake)]

    def logits_of(self, images, batch: dict, training: bool, keep_state: bool = False):
        """Returns what `discriminate` does, without the outputs of further heads."""
        outputs = self.discriminate(images, batch, training, keep_state=keep_state)
        return outputs[0] if isinstance(outputs, list) else outputs

    def augmented(self, shown, training: bool):
        """Returns the discriminator's inputs, changed at random: images and their channels."""

        def uniform(use, shape):
            return self.uniform(f"augmentation/{use}", shape, training)

        if isinstance(shown, list):
            images, *conditions = shown
            return [augment(images, self.augmentation, uniform), *conditions]
        return augment(shown, self.augmentation, uniform)

    # Terms of the losses ---------------------------------------------------------------------

    def discriminator_terms(self, batch: dict, fake, use: str, training: bool) -> dict:
        """Returns the terms of the discriminator's loss and its accuracy, `[batch]` each.

        `fake` was generated for `use`, which also names the noise of penalties.
        """
        real_logits = self.discriminate(self.real(batch), batch, training)
        fake_logits = self.discriminate(fake, batch, training)
        return self.terms_of_logits(real_logits, fake_logits, batch, fake, use, training)

    def terms_of_logits(self, real_logits, fake_logits, batch, fake, use, training) -> dict:
        """Returns `discriminator_terms` from logits: for discriminators that have further heads."""
        terms = {"discrimination": self.objective.discriminator(real_logits, fake_logits)}
        if self.penalty is not None:
            terms["penalty"] = self._penalty(batch, fake, use, training)
        if "real_accuracy" in self.loss_weights():
            threshold = self.objective.threshold
            real_right = tf.cast(real_logits > threshold, tf.float32)
            fake_right = tf.cast(fake_logits < threshold, tf.float32)
            terms["real_accuracy"] = per_example_mean(real_right)
            terms["fake_accuracy"] = per_example_mean(fake_right)
        return terms

    def generator_terms(self, batch: dict, training: bool) -> dict:
        """Returns the terms of the generator's loss, `[batch]` each."""
        fake = self.generated("generator", batch, training)
        return {"adversarial": self.adversarial_loss(fake, batch, training)}

    def adversarial_loss(self, fake, batch: dict, training: bool) -> tf.Tensor:
        """Returns the objective's loss of the generator, `[batch]`, for generated examples."""
        fake_logits = self.logits_of(fake, batch, training)
        if not self.objective.compares:
            return self.objective.generator(fake_logits)
        real_logits = self.logits_of(self.real(batch), batch, training)
        return self.objective.generator(fake_logits, real_logits)

    def _penalty(self, batch, fake, use, training):
        """The penalty of the discriminator, computed every few steps and weighted accordingly."""
        penalty = self.penalty
        real = self.real(batch)
        count = keras.ops.shape(real)[0]
        axes = real.shape[1:] if penalty.noise_per_value else [1] * (real.shape.rank - 1)
        draw = getattr(self, penalty.noise)
        noise = draw(f"{use}/penalty", [count, *axes], training)

        def critic(images):
            return self.logits_of(images, batch, training, keep_state=True)

        every = penalty.every if training else 1
        compute = partial(penalty, critic, real, fake, noise)
        return compute() if every == 1 else lazily(every, self.step.value, count, compute)

    # Evaluation ------------------------------------------------------------------------------

    @override
    def test_step(self, data):
        batch = self.prepare_batch(data)
        fake = self.generated("test", batch, training=False)
        d_terms = self.discriminator_terms(batch, fake, "test", training=False)
        g_terms = self.generator_terms(batch, training=False)
        d_loss = self.weighted(d_terms, training=False)
        g_loss = self.weighted(g_terms, training=False)
        return self.report(d_terms | g_terms, training=False, d_loss=d_loss, g_loss=g_loss)


def lazily(every: int, step, count, compute) -> tf.Tensor:
    """Computes a term `[batch]` every so many steps, times that number (else 0).

    Karras et al.: "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, sec. 3.1.
    `compute`, without arguments, may call networks only inside `training.stateless`; `count` is the
    number of this replica's examples.
    """
    if every == 1:
        return compute()
    due = tf.equal(step % every, 0)
    return tf.cond(due, lambda: every * compute(), lambda: tf.zeros([count]))
