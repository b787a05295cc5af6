"""M2, a conditional VAE with a classifier (Kingma, Mohamed, Rezende, Welling 2014)."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_shape
from keras_gen.autoencoders.coder import outputs_per_value, with_scales
from keras_gen.classifiers import classify, set_label_edges
from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import capability, require_classes
from keras_gen.core.kinds_of_data import Labels
from keras_gen.core.noise import folded
from keras_gen.core.schedules import Weight
from keras_gen.declared import fixed, network
from keras_gen.losses import kl_categorical, kl_standard_normal, likelihoods
from keras_gen.networks import m2_networks
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class M2(VAE):
    """A VAE conditioned on the class, which is a latent variable if the label is unknown.

    Kingma, Mohamed, Rezende, Welling: "Semi-supervised Learning with Deep Generative Models",
    NeurIPS 2014, model M2. In this model, y is uniform, z is normal, and the decoder is p(x|y,z).
    For an example with a label, the loss is eq. (9): the bound of eq. (6) plus `alpha` times the
    cross-entropy of the label. For an example without a label, the loss is the bound of eq. (7),
    which sums over all classes. `fit(images, labels)` accepts integer labels, with -1 for an
    example without a label.

    `loss = reconstruction_loss + kl_loss + class_kl_loss + alpha * classification_loss`, in nats.
    The first two terms are means over q(y|x) or, for examples with a label, the values for the
    class of the label. `accuracy` is computed on labeled examples. `score` and `log_prob` return a
    bound that uses 16 latent samples per class, and that sums over the classes without using
    q(y|x). In expectation, this bound is at least as tight as the bound of eq. (7). `encode`,
    `reconstruct`, and `analogies` infer the latents for the most likely class.

    M1 is a VAE with a separate classifier on its latents. M1+M2 is M2 with the likelihood
    `"unbounded_normal"`, trained on the latents of a VAE.

    Deviations: the network weights have no prior, whereas the authors' code uses a standard normal
    prior.

    Args:
        encoder: Network that maps examples and int32 labels `[batch]` to the mean and log variance
            of q(z|x,y), each `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` and labels to the likelihood's
            parameters.
        classifier: Network that maps examples to logits `[batch, classes]` of q(y|x).
        likelihood: Likelihood p(x|y,z), a name or an object.
        alpha: Weight of the cross-entropy of a labeled example, a number or a schedule. The paper's
            weight of 0.1 N applies to the mean over all labels. With 100 labels among N = 50,000
            examples, the weight of each label is therefore 0.1 * 50,000 / 100 = 50. For batches
            with a labeled fraction f, use 0.1 / f.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match, or if `alpha` is negative.

    Example:
    ```python
    from keras_gen.networks import m2_networks
    model = M2(*m2_networks((28, 28, 1), classes=10, latent_dim=2, hidden=(8,)))
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), np.array([3, 1, -1, -1, -1, -1, -1, -1]))
    logits = model.classify(np.zeros((1, 28, 28, 1), "uint8"))
    sevens = model.sample(9, seed=1, label=7)
    ```
    """

    batch = ("x", "labels")
    classify = classify

    encoder: keras.Model = network("x y -> z z")
    decoder: keras.Model = network("z y -> parameters")
    classifier: keras.Model = network("x -> logits", kw_only=True)
    beta: Weight = fixed(1.0)
    alpha: Weight = 50.0

    @override
    def terms(self, batch):
        x, labels = batch["x"], batch["labels"]
        # Latents are sampled from q(z|x,y) for every class y, or only for the class of the label.
        example, y = self.possible(labels)
        posterior = self.encoded(tf.gather(x, example), y)
        drawn = self.drawn(posterior, self.stateless_seed("latents"))
        logits = self.logits(x)
        known = labels >= 0
        # Eq. (7) is a mean over q(y|x). If the label is known, q is 1 for this class, which gives
        # eq. (6).
        q = tf.where(known[:, None], 1.0, tf.nn.softmax(logits))
        q = tf.gather_nd(q, tf.stack([example, y], axis=1))

        def expected(term):
            return tf.math.unsorted_segment_sum(q * term, example, tf.size(labels))

        x = tf.gather(x, example)
        return {
            "reconstruction": expected(self.reconstruction(drawn.latents, x, y)),
            "kl": expected(kl_standard_normal(*drawn.parameters)),
            # -log p(y) - H(q(y|x)); the entropy is 0 if the label is known.
            "class_kl": tf.where(known, math.log(self.classes), kl_categorical(logits)),
            **label_terms(labels, logits),
        }

    @override
    def loss_weights(self):
        classes = {"class_kl": 1.0, "classification": self.alpha, "accuracy": None}
        return super().loss_weights() | classes

    # The bounds of examples with and without a label -------------------------------------------

    def logits(self, x) -> tf.Tensor:
        """Returns the logits of q(y|x), float32 `[batch, classes]`."""
        return tf.cast(self.classifier(x, training=self.training), tf.float32)

    def possible(self, labels) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns int32 pairs of example and class: the label or, without a label, every class.

        An example without a label has the label -1.
        """
        possible = (labels[:, None] < 0) | (labels[:, None] == tf.range(self.classes))
        example, classes = tf.unstack(tf.cast(tf.where(possible), tf.int32), axis=1)
        return example, classes

    # Estimates of log p(x) -------------------------------------------------------------------

    def every_class(self, values) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns each example once per class, with the classes, both `[batch * classes, ...]`."""
        each = tf.repeat(values, self.classes, axis=0)
        return each, tf.tile(tf.range(self.classes), tf.shape(values)[:1])

    @override
    def log_weights(self, x, samples: int, seed):
        """Returns log sum_y p(x, y, z_y) / q(z_y|x,y) for latents z_y sampled for every class y."""
        x, y = self.every_class(x)
        if seed.shape.rank == 2:  # one seed per example; each class needs a different seed
            seed = folded(tf.repeat(seed, self.classes, axis=0), y)
        inferred = self.drawn(self.encoded(x, y), seed, samples)
        joint = self.log_ratio(x, inferred, y)
        by_class = tf.reshape(joint, [samples, -1, self.classes])
        return tf.reduce_logsumexp(by_class, axis=-1) - math.log(self.classes)

    # Use -------------------------------------------------------------------------------------

    @override
    def side_inputs(self, x):
        return (tf.argmax(self.logits(x), axis=-1, output_type=tf.int32),)

    @override
    def from_noise(self, noise, label=-1, temperature=1.0):  # type: ignore[override]
        """Returns means of p(x|y,z) or, for vectors, samples, given labels or random classes."""
        latents = temperature * noise["latents"]
        return self.example_of(noise | {"latents": latents}, label)

    @override
    @capability
    def decode(self, latents, labels):
        """Returns the mean of p(x|y,z) as uint8 images, for latents and integer labels `[n]`."""
        return {"x": self.reconstructed(latents, labels)}

    @capability
    def analogies(self, x):
        """Returns examples, `[n, classes, ...]`, whose latents are decoded with each class."""
        mean, *_ = self.encoded(x, *self.side_inputs(x))
        latents, labels = self.every_class(mean)
        examples = self.reconstructed(latents, labels)
        return {"x": tf.reshape(examples, [-1, self.classes, *examples.shape[1:]])}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        self.classes = self.classifier.output_shape[-1]
        set_label_edges(self, self.classes)
        require_classes(self.classes, self.encoder, self.decoder)
        self.edges["label"] = Labels(self.classes, unknown=True, name="label")

    @override
    @classmethod
    def for_images(  # type: ignore[override]
        cls,
        shape: int | tuple,
        classes: int = 10,
        latent_dim: int = 50,
        hidden: tuple[int, ...] = (500,),
        deviation: float | None = 0.001,
        activation: str = "softplus",
        **kwargs,
    ):
        """Builds the model with the dense networks of `keras_gen.networks.m2_networks`.

        Args:
            shape: Shape of an example, such as `(28, 28, 1)`, or `(50,)` for the latents of another
                model.
            classes: Number of classes.
            latent_dim: Number of latent dimensions.
            hidden: Number of units in each hidden layer of each network.
            deviation: Standard deviation of the initial weights. If None, Glorot initialization is
                used.
            activation: Name of the activation of the hidden layers.
            **kwargs: Additional arguments for the class.
        """
        shape = checked_shape("shape", shape)
        likelihood = likelihoods.get(kwargs.get("likelihood", "bernoulli"))
        outputs = outputs_per_value(likelihood)
        encoder, decoder, classifier = m2_networks(
            shape, classes, latent_dim, hidden, activation, outputs, deviation
        )
        return cls(encoder, with_scales(decoder, likelihood), classifier, **kwargs)

    @override
    @classmethod
    def for_vectors(  # type: ignore[override]
        cls,
        shape: int | tuple,
        classes: int = 10,
        latent_dim: int = 50,
        hidden: tuple[int, ...] = (500,),
        deviation: float | None = None,
        activation: str = "tanh",
        **kwargs,
    ):
        """Builds the model for rows of numbers in any units; for arguments, see `for_images`.

        See also `Coder`. By default, weights are initialized with Glorot initialization, and the
        activation is tanh. With the paper's softplus and weights close to 0, the latents of rows
        remain unused, because the scales of the columns increase before the means are learned.
        """
        kwargs = cls.options_of_vectors | kwargs
        return cls.for_images(
            shape, classes, latent_dim, hidden, deviation, activation, **kwargs
        )
