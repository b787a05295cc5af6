"""A generator and a discriminator against each other: GANs, and what is built on them."""

import keras
import tensorflow as tf

from keras_gen.bases.capabilities import Capable
from keras_gen.data.transforms.differentiable_augmentations import augment, check_augmentations
from keras_gen.losses import adversarial, penalties
from keras_gen.losses.base import per_example_mean
from keras_gen.training import GenerativeModel, apply, minimize, parts

ACCURACIES = ("real_accuracy", "fake_accuracy")


class AdversarialModel(Capable, GenerativeModel):
    """Base of models in which a generator and a discriminator are trained in turn.

    Goodfellow et al. (2014), algorithm 1. A method overrides the hook in which it differs: what is
    generated (`generated`), what the discriminator is shown (`shown`), its logits (`discriminate`),
    the terms of each loss (`discriminator_terms`, `generator_terms`) and what a term counts
    (`loss_weights`; the first term of each loss counts once). `fit` and `evaluate` go through the
    same hooks.

    Args:
        generator: From noise to examples.
        discriminator: The network of the other.
        objective: Adversarial objective, a name or an object.
        penalty: None, or a penalty on the discriminator, a name or an object.
        discriminator_steps: Updates of the discriminator for one of the generator: k of
            algorithm 1. A batch given to `fit` holds the k fresh batches.
        seed: Seed of all randomness in the steps.
        augmentation: Names of `"color"`, `"translation"`, `"cutout"` and `"affine"`: random changes
            of all images that the discriminator is shown, real and generated (`data.augment`).
        **kwargs: `name` and the like, of `keras.Model`.

    Raises:
        ValueError: If `discriminator_steps` is below 1, the penalty does not suit the
            discriminator, or an augmentation is unknown.
    """

    unused = "refuse"  # weights that take no part in a loss: see `training.minimize`
    together = False  # whether the discriminator sees real and generated images as one batch

    def __init__(
        self, generator, discriminator, objective, penalty=None, discriminator_steps=1, seed=0,
        augmentation=(), **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        if discriminator_steps < 1:
            raise ValueError(f"discriminator_steps is {discriminator_steps}: at least 1.")
        self.generator, self.discriminator = generator, discriminator
        self.objective = adversarial.get(objective)
        self.penalty = penalties.get(penalty)
        self.discriminator_steps = discriminator_steps
        self.augmentation = check_augmentations(augmentation)
        if self.penalty is not None:
            self.penalty.check(discriminator)

    @property
    def totals(self):
        """The names of what the optimizers minimize."""
        return ("d_loss", "g_loss")

    def optimizers(self) -> dict:
        """Returns the discriminator and the generator, each with its optimizer."""
        return {"d_optimizer": [self.discriminator], "g_optimizer": [self.generator]}

    def compile(self, *, d_optimizer=None, g_optimizer=None, **kwargs):
        """Compiles with one optimizer each.

        Args:
            d_optimizer: Default: `default_optimizer()`.
            g_optimizer: Likewise.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        d_optimizer = d_optimizer or self.default_optimizer()
        g_optimizer = g_optimizer or self.default_optimizer()
        super().compile(d_optimizer=d_optimizer, g_optimizer=g_optimizer, **kwargs)

    def default_optimizer(self):
        """Returns the optimizer unless one is given: DCGAN's, Adam(2e-4, beta_1=0.5)."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def loss_weights(self) -> dict:
        """Returns what is reported beside the losses: how often D is right."""
        return dict.fromkeys(ACCURACIES)

    # Hooks -----------------------------------------------------------------------------------

    def generated(self, use: str, batch: dict, training: bool):
        """Returns what the generator makes for one use in this step.

        Args:
            use: What it is for; another use draws other noise.
            batch: What the step is on, by name.
            training: Whether this is a training step.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what is generated.")

    def shown(self, images, batch: dict):
        """Returns what the discriminator takes of images: them, or with what belongs to them.

        Penalties ask that every example stays one.
        """
        return images

    def augmented(self, images, training: bool):
        """Returns images changed at random, the real and the generated ones of a step alike."""

        def uniform(use, shape):
            return self.uniform(f"augmentation/{use}", shape, training)

        return augment(images, self.augmentation, uniform)

    def discriminator_in_use(self) -> keras.Model:
        """Returns the discriminator, or the part of it that is in use."""
        return self.discriminator

    def discriminate(self, images, batch: dict, training: bool, weights=None, keep_state=False):
        """Returns the discriminator's logits of real or generated images.

        Args:
            images: Real or generated.
            batch: What the step is on, by name.
            training: Whether this is a training step.
            weights: Of the discriminator in place of its own.
            keep_state: Whether its moving statistics are left alone, as with other weights.
        """
        return self.discriminator_outputs(images, batch, training, weights, keep_state)[0]

    def discriminator_outputs(
        self, images, batch: dict, training: bool, weights=None, keep_state=False
    ) -> list:
        """Returns all outputs of the discriminator: its logits, and those of further heads.

        Arguments are those of `discriminate`.
        """
        shown = self.shown(self.augmented(images, training), batch)
        discriminator = self.discriminator_in_use()
        if weights is None and not keep_state:
            outputs = discriminator(shown, training=training)
        else:
            outputs = apply(discriminator, weights, shown, training)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    def of_both(self, look, batch, fake, training, weights=None, keep_state=False) -> list:
        """Returns what is said of the batch, and what is said of generated images.

        Of a model that says `together` both are one batch, which batch normalization is over, in
        place of two; its discriminator has to take images alone.

        Args:
            look: `discriminate`, or `discriminator_outputs`, whose arguments the others are.
            batch: What the step is on, by name.
            fake: What was generated.
            training: Whether this is a training step.
            weights: Of the discriminator in place of its own.
            keep_state: Whether its moving statistics are left alone.
        """
        options = batch, training, weights, keep_state
        if not self.together:
            return [look(images, *options) for images in (batch["x"], fake)]
        said = look(keras.ops.concatenate([batch["x"], fake]), *options)
        count = keras.ops.shape(fake)[0]
        halves = slice(count), slice(count, None)
        return [tf.nest.map_structure(lambda x, half=half: x[half], said) for half in halves]

    def discriminator_terms(self, batch: dict, fake, use: str, training: bool, weights=None):
        """Returns the terms of the discriminator's loss, `[batch]` each, and what is reported.

        Args:
            batch: What the step is on, by name.
            fake: What was generated.
            use: What it was generated for, which tells the k updates apart.
            training: Whether this is a training step.
            weights: Of the discriminator in place of its own.
        """
        real, fakes = self.of_both(self.discriminate, batch, fake, training, weights)
        return self.terms_of_logits(real, fakes, batch, fake, use, training, weights)

    def terms_of_logits(self, real_logits, fake_logits, batch, fake, use, training, weights=None):
        """Returns `discriminator_terms` of logits: for discriminators that have further heads."""
        terms = {"discrimination": self.objective.discriminator(real_logits, fake_logits)}
        if self.penalty is not None:
            terms["penalty"] = self._penalty(batch, fake, use, training, weights)
        return terms | _accuracies(real_logits, fake_logits, self.objective.threshold)

    def weighted(self, terms, training):
        """Returns the sum of a loss's weighted terms; how often D is right is none of them."""
        losses = {name: term for name, term in terms.items() if name not in ACCURACIES}
        return super().weighted(losses, training)

    def discriminator_updated(self) -> None:
        """Does what follows each update of the discriminator: nothing, unless a method says so."""

    def generator_updated(self, terms: dict) -> None:
        """Does what follows each update of the generator, such as moving state.

        Args:
            terms: Of its loss, from before the update.
        """

    def generator_terms(self, batch: dict, training: bool) -> dict:
        """Returns the terms of the generator's loss, `[batch]` each."""
        fake = self.generated("generator", batch, training)
        return {"adversarial": self.adversarial_loss(fake, batch, training)}

    def adversarial_loss(self, fake, batch: dict, training: bool, weights=None) -> tf.Tensor:
        """Returns what the objective says of the generator, `[batch]`.

        Args:
            fake: What was generated.
            batch: What the step is on, by name.
            training: Whether this is a training step.
            weights: Of the discriminator in place of its own.
        """
        if not self.together:
            fake_logits = self.discriminate(fake, batch, training, weights)
            return self.adversarial_loss_of_logits(fake_logits, batch, training, weights)
        real, fakes = self.of_both(self.discriminate, batch, fake, training, weights)
        return self.adversarial_loss_of_logits(fakes, batch, training, real_logits=real)

    def adversarial_loss_of_logits(
        self, fake_logits, batch, training: bool, weights=None, real_logits=None
    ) -> tf.Tensor:
        """Returns `adversarial_loss` of the logits of what was generated, and of the batch."""
        if not self.objective.compares:
            return self.objective.generator(fake_logits)
        if real_logits is None:
            real_logits = self.discriminate(batch["x"], batch, training, weights)
        return self.objective.generator(fake_logits, real_logits)

    # Training --------------------------------------------------------------------------------

    def train_step(self, data):
        """Algorithm 1: k updates of the discriminator, then one of the generator."""
        for k, batch in enumerate(self._parts(self.prepare_batch(data))):
            # The generator takes no gradient from this loss, so its pass stays off the tape.
            fake = self.generated(f"discriminator {k}", batch, training=True)

            def discriminator_loss(batch=batch, fake=fake, k=k):
                terms = self.discriminator_terms(batch, fake, f"discriminator {k}", training=True)
                return self.weighted(terms, training=True), terms

            d_networks, g_networks = self.optimizers().values()
            d_loss, d_terms = minimize(
                discriminator_loss, self.d_optimizer, *d_networks, unused=self.unused
            )
            with tf.control_dependencies([d_loss]):
                self.discriminator_updated()

        def generator_loss():
            terms = self.generator_terms(batch, training=True)
            return self.weighted(terms, training=True), terms

        g_loss, g_terms = minimize(
            generator_loss, self.g_optimizer, *g_networks, unused=self.unused
        )
        with tf.control_dependencies([g_loss]):
            self.generator_updated(g_terms)
        return self.report(d_loss=d_loss, g_loss=g_loss, **self.named(d_terms | g_terms))

    def test_step(self, data):
        """Returns the same losses on held-out examples, with networks in inference mode."""
        batch = self.prepare_batch(data)
        fake = self.generated("test", batch, training=False)
        d_terms = self.discriminator_terms(batch, fake, "test", training=False)
        g_terms = self.generator_terms(batch, training=False)
        return self.report(
            training=False,
            d_loss=self.weighted(d_terms, training=False),
            g_loss=self.weighted(g_terms, training=False),
            **self.named(d_terms | g_terms),
        )

    def _parts(self, batch: dict) -> list[dict]:
        """The batches of the k updates, equal in size."""
        k = self.discriminator_steps
        if k == 1:
            return [batch]
        each = {name: parts(values, k) for name, values in batch.items()}
        return [{name: of[part] for name, of in each.items()} for part in range(k)]

    def _penalty(self, batch, fake, use, training, weights):
        """The penalty of the discriminator, every so many steps and weighted as often."""
        penalty, real = self.penalty, batch["x"]
        count = keras.ops.shape(real)[0]
        axes = real.shape[1:] if penalty.noise_per_value else [1] * (real.shape.rank - 1)
        noise = getattr(self, penalty.noise)(f"{use}/penalty", [count, *axes], training)

        def compute():
            def critic(images):
                return self.discriminate(images, batch, training, weights, keep_state=True)

            return penalty(critic, real, fake, noise)

        return lazily(penalty.every if training else 1, self.step.value, count, compute)


def lazily(every: int, step, count, compute) -> tf.Tensor:
    """Returns a term `[batch]` that is computed every so many steps, and counts as often then.

    Karras et al.: "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, sec. 3.1.
    The term may call networks through `training.apply` only, which changes no state.

    Args:
        every: Steps from one time to the next; 1 computes it always.
        step: Int64 scalar, the step.
        count: Number of this replica's examples.
        compute: Function of no arguments that returns the term.
    """
    if every == 1:
        return compute()
    due = tf.equal(step % every, 0)
    return tf.cond(due, lambda: every * compute(), lambda: tf.zeros([count]))


def _accuracies(real_logits, fake_logits, threshold):
    """How often the discriminator tells each kind right, a fraction `[batch]`."""
    right = dict(zip(ACCURACIES, (real_logits > threshold, fake_logits < threshold), strict=True))
    return {name: per_example_mean(tf.cast(value, tf.float32)) for name, value in right.items()}
