"""The conditional VAE that classifies, M2 (Kingma, Mohamed, Rezende, Welling 2014)."""

import math

import keras
import tensorflow as tf

from keras_gen.bases import ClassCoder, Classifying, ClassSampler, Inferred
from keras_gen.losses import kl_categorical, kl_standard_normal, likelihoods
from keras_gen.networks import m2_networks
from keras_gen.training import require_inputs, schedules
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class M2(Classifying, ClassCoder, ClassSampler, VAE):
    """A VAE whose decoder is told the class, which of unlabeled examples is a latent variable too.

    Kingma, Mohamed, Rezende, Welling: "Semi-supervised Learning with Deep Generative Models",
    NeurIPS 2014, model M2. The class y is uniform and z Normal, and p(x|y,z) is the decoder. The
    loss is eq. (9) for each example: the bound of eq. (6) where there is a label, that of eq. (7),
    in which all classes are summed over, where there is none, and `alpha` times the cross-entropy
    of the label. `fit(images, labels)` takes whole numbers, -1 for an example without a label.

    `loss = reconstruction_loss + kl_loss + class_kl_loss + alpha * classification_loss` in nats, of
    which the first two are means over q(y|x), or of the label's class. `accuracy` counts the
    examples that have a label. `score` and `log_prob` are a bound of 16 latents for each class,
    between which no q(y|x) chooses: in the mean at least that of eq. (7).

    Latents are inferred for the likeliest class, in `encode`, `reconstruct` and `analogies`. A VAE
    whose latents another classifier takes is M1. M2 of such latents is M1+M2: its likelihood is
    `"unbounded_normal"`.

    Over 40 lines, because of the bounds of two kinds of examples, and of one over all classes.

    Deviations: weights have no prior, which in the authors' code is standard Normal.

    Args:
        encoder: Examples and int32 labels `[batch]` to (mean, log variance) of q(z|x,y), each
            `[batch, latents]`.
        decoder: Latents `[batch, latents]` and labels to the likelihood's parameters.
        classifier: Examples to logits `[batch, classes]` of q(y|x).
        likelihood: Name or object: p(x|y,z).
        alpha: Weight of the cross-entropy of an example that has a label, a number or a schedule of
            the step. The paper's 0.1 N is of the mean over all labels: of 100 among N = 50,000
            examples, each counts 0.1 * 50,000 / 100 = 50. Batches of which a fraction f is labeled
            need 0.1 / f.
        seed: Seed of the latents' noise.

    Raises:
        ValueError: If the networks do not fit each other, or `alpha` is negative.

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

    def __init__(
        self, encoder, decoder, classifier, likelihood="bernoulli", alpha=50.0, seed=0, **kwargs
    ):
        super().__init__(encoder, decoder, likelihood, beta=1.0, seed=seed, **kwargs)
        require_inputs(2, type(self), encoder, decoder)
        self.keep_classifier(classifier, encoder.inputs[0].shape[1:], "examples")
        self.keep_classes(classifier.output_shape[-1])
        self.alpha = schedules.weight("alpha", alpha)

    @classmethod
    def for_images(  # type: ignore[override]
        cls, shape: tuple, classes: int = 10, latent_dim: int = 50, hidden=(500,),
        deviation: float | None = 0.001, **kwargs,
    ):  # fmt: skip
        """Builds the model with dense networks, as `m2_networks` in `keras_gen.networks`.

        Args:
            shape: Of an example, also of one that is no image.
            classes: Number of classes.
            latent_dim: Dimensions of the latents.
            hidden: Units of the hidden layers of each network.
            deviation: Of the initial weights; None for those of Glorot.
            **kwargs: Further arguments of the class.

        Example: `M2.for_images((28, 28, 1), classes=10)`.
        """
        params = likelihoods.get(kwargs.get("likelihood", "bernoulli")).params_per_value
        networks = m2_networks(
            shape, classes, latent_dim, hidden, params_per_value=params, deviation=deviation
        )
        return cls(*networks, **kwargs)

    def loss_weights(self):
        """Returns alpha for the classification; the accuracy is only reported."""
        classes = {"class_kl": 1.0, "classification": self.alpha, "accuracy": None}
        return super().loss_weights() | classes

    def side_inputs(self, x):
        """Returns the likeliest class of each example."""
        return (tf.argmax(self.logits(x), axis=-1, output_type=tf.int32),)

    def infer(self, x, training, labels):
        """Returns latents from q(z|x,y) for every class y, or for that of the label alone."""
        example, y = self.possible(labels)
        posterior = self.encoded(tf.gather(x, example), training, y)
        drawn = self.drawn(posterior, self.stateless_seed("latents", training))
        return Inferred(drawn, (example, y))

    def loss_terms(self, x, labels, inferred, training):
        """Returns the terms of eq. (9), `[batch]` each in nats, and the labels' `accuracy`."""
        drawn, (example, y) = inferred
        logits, known = self.logits(x, training), labels >= 0
        q = tf.where(known[:, None], 1.0, tf.nn.softmax(logits))  # eq. (6) is (7) of a sure class
        q = tf.gather_nd(q, tf.stack([example, y], axis=1))

        def expected(term):
            return tf.math.unsorted_segment_sum(q * term, example, tf.size(labels))

        x = tf.gather(x, example)
        return {
            "reconstruction": expected(self.reconstruction(drawn.latents, x, training, y)),
            "kl": expected(kl_standard_normal(*drawn.parameters)),
            # -log p(y) - H(q(y|x)), of a label without the entropy.
            "class_kl": tf.where(known, math.log(self.classes), kl_categorical(logits)),
            "classification": self.cross_entropy(labels, logits),
            "accuracy": self.accuracy(labels, logits),
        }

    def log_weights(self, x, samples: int, seed, training: bool = False):
        """Returns log of the sum over y of p(x, y, z_y) / q(z_y|x,y): latents of each class.

        Such a sum is a weight of the latents of all classes together, whose mean is p(x).
        """
        x, y = self.every_class(x)
        inferred = self.drawn(self.encoded(x, training, y), seed, samples)
        joint = self.log_ratio(x, inferred, training, y)
        by_class = tf.reshape(joint, [samples, -1, self.classes])
        return tf.reduce_logsumexp(by_class, axis=-1) - math.log(self.classes)
