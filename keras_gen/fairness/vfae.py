"""The variational fair autoencoder, VFAE (Louizos et al. 2016)."""

import math
from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.autoencoders.coder import (
    decoder_edges,
    decoder_to,
    reconstruction_nats,
    require_moments,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.classifiers import classify, set_label_edges
from keras_gen.classifiers.classifier import label_terms
from keras_gen.core import (
    LikelihoodModel,
    Player,
    capability,
    require_classes,
)
from keras_gen.core.kinds_of_data import Labels
from keras_gen.core.likelihood_model import edge_of
from keras_gen.core.noise import folded, normal
from keras_gen.core.schedules import Weight
from keras_gen.data import Column
from keras_gen.declared import Named, made_by, network
from keras_gen.fairness.blind_classifier import set_table, width_of
from keras_gen.keras_internals import put_first
from keras_gen.losses import kl_categorical, kl_normal, kl_standard_normal, likelihoods
from keras_gen.losses.divergences import fourier_discrepancy
from keras_gen.losses.likelihoods import Likelihood
from keras_gen.networks import mlp_decoder, mlp_encoder, with_labels

HEADS = ("mean", "log_variance")


@keras.saving.register_keras_serializable("keras_gen")
class VFAE(LikelihoodModel):
    """A VAE whose latents should be independent of an attribute that the decoder receives.

    Louizos, Swersky, Li, Welling, Zemel: "The Variational Fair Autoencoder", ICLR 2016. The
    attribute s and the latents z1 generate the example with p(x|z1,s), so z1 does not need to
    encode s. The label y and additional latents z2, which have a normal prior, generate z1 with
    p(z1|z2,y), so z1 encodes the label (sec. 2.2). The loss has three parts. The first part is the
    negative of a bound: L_s for labeled examples, and L_u for examples without a label (-1). The
    second part is alpha times the label's cross-entropy, which is 0 for examples without a label.
    The third part is beta times the squared maximum mean discrepancy between the latents z1 for the
    two values of the attribute (sec. 2.3), computed with 500 random Fourier features that are
    sampled anew in each step (sec. 2.4, with gamma = 1).

    `loss = reconstruction_loss + kl_loss + upper_kl_loss + class_kl_loss + alpha *
    classification_loss + beta * discrepancy_loss`. All terms except the last are in nats.
    Expectations over z1 and z2 use one sample per example. `score` is the negative of L_u. `encode`
    returns the mean and log variance of q(z1|x,s).

    Deviations: p(y) is uniform. `classify` uses the mean of z1 instead of samples.

    Args:
        encoder: Network that maps examples and int32 attributes `[batch]` to the mean and log
            variance of q(z1|x,s).
        decoder: Network that maps z1 and attributes to the likelihood's parameters. For the default
            likelihood, these are the mean m and a number r for each value, with standard deviation
            softplus(r) + 0.001.
        classifier: Network that maps z1 to the logits of q(y|z1).
        upper_encoder: Network that maps z1 and labels to the mean and log variance of q(z2|z1,y).
        upper_decoder: Network that maps z2 and labels to the mean and log variance of p(z1|z2,y).
        likelihood: Likelihood p(x|z1,s), a name or an object.
        columns: Columns of the table, if the examples are table rows. The encoder receives the rows
            as vectors.
        alpha: Weight of the label's cross-entropy, a number or a schedule.
        beta: Weight of the discrepancy, a number or a schedule.
        seed: Seed for the noise of the latents and the random features of the discrepancy.

    Raises:
        ValueError: If the networks do not match each other or the columns, or if a weight is
            negative.

    Example:
    ```python
    from keras_gen.data import table_columns
    rows = np.array([["39", "Male"], ["50", "Female"], ["38", "Male"], ["28", "Female"]])
    columns = table_columns(rows, names=["age", "sex"], numbers=["age"])
    model = VFAE.for_table(columns, latent_dim=2, hidden=(4,))
    model.compile()
    vectors, sexes = model.prepare(rows), np.array([1, 0, 1, 0])
    model.fit(vectors, (np.array([0, 1, 0, -1]), sexes), batch_size=2)
    latents = model.encode(rows, sexes)
    ```
    """

    batch = ("x", "labels", "attributes")
    given = ("attributes",)
    default_signature = "classify"
    predicts = "classify"
    classify = classify

    encoder: keras.Model = network("x s -> z1 z1")
    decoder: keras.Model = network("z1 s -> parameters")
    classifier: keras.Model = network("z1 -> logits")
    upper_encoder: keras.Model = network("z1 y -> z2 z2")
    upper_decoder: keras.Model = network("z2 y -> z1 z1")
    likelihood: Named[Likelihood] = made_by(likelihoods.get, default="unbounded_normal")
    columns: Sequence[Column] | None = None
    alpha: Weight = 1.0
    beta: Weight = 100.0

    @override
    def terms(self, batch):
        x, labels, attributes = batch["x"], batch["labels"], batch["attributes"]
        inferred = self.drawn(self.posterior(x, attributes), self.stateless_seed("latents"))
        terms = self.bound_terms(x, labels, attributes, inferred)
        logits = self.logits_of(inferred[0])
        seed = self.stateless_seed("discrepancy")
        discrepancy = fourier_discrepancy(inferred[0], attributes, seed)
        return terms | label_terms(labels, logits) | {"discrepancy": discrepancy}

    def bound_terms(self, x, labels, attributes, inferred) -> dict:
        """Returns the terms of L_s and L_u, both averaged over q(y|z1).

        If the label is known, q is one-hot, so the other classes contribute nothing.
        """
        z1, (*posterior, seed) = inferred  # posterior: mean and log variance of q(z1|x,s)
        logits = self.logits_of(z1)
        known = labels >= 0
        classes = logits.shape[-1]
        q = tf.where(known[:, None], tf.one_hot(labels, classes), tf.nn.softmax(logits))
        kl = 0.0
        upper_kl = 0.0
        for label in range(classes):
            y = tf.fill(tf.shape(z1)[:1], label)
            upper = self.upper_encoder([z1, y], training=self.training)
            upper_seed = folded(seed, label + 1)
            z2, _ = self.drawn([tf.cast(each, tf.float32) for each in upper], upper_seed)
            prior = self.upper_decoder([z2, y], training=self.training)
            kl += q[:, label] * kl_normal(*posterior, *prior)
            upper_kl += q[:, label] * kl_standard_normal(*upper)
        reconstruction = reconstruction_nats(
            self.decoder, self.likelihood, z1, x, self.training, attributes
        )
        return {
            "reconstruction": reconstruction,  # -log p(x|z1,s)
            "kl": kl,  # KL(q(z1|x,s) || p(z1|z2,y))
            "upper_kl": upper_kl,  # KL(q(z2|z1,y) || N(0, 1))
            # KL(q(y|z1) || p(y)) for uniform p(y); -log p(y) if the label is known.
            "class_kl": tf.where(known, math.log(classes), kl_categorical(logits)),
        }

    @override
    def loss_weights(self):
        bound = {"reconstruction": 1.0, "kl": 1.0, "upper_kl": 1.0, "class_kl": 1.0}
        others = {"classification": self.alpha, "discrepancy": self.beta, "accuracy": None}
        return bound | others

    @override
    def players(self):
        networks = [self.encoder, self.decoder, self.classifier]
        networks += [self.upper_encoder, self.upper_decoder]
        return {"optimizer": Player(networks, partial(Adam, 1e-3))}

    # The bounds ------------------------------------------------------------------------------

    def posterior(self, x, attributes) -> list[tf.Tensor]:
        """Returns the mean and log variance of q(z1|x,s), float32 `[batch, latents]`."""
        found = self.encoder([x, attributes], training=self.training)
        return [tf.cast(each, tf.float32) for each in found]

    def drawn(self, posterior, seed) -> tuple:
        """Returns a sample of z1 or z2, and a tuple of the mean, the log variance, and the seed."""
        mean, log_variance = posterior
        noise = normal(keras.ops.shape(mean), seed)
        return mean + tf.exp(0.5 * log_variance) * noise, (mean, log_variance, seed)

    def logits_of(self, latents) -> tf.Tensor:
        """Returns the logits of q(y|z1), float32 `[batch, classes]`."""
        return tf.cast(self.classifier(latents, training=self.training), tf.float32)

    def logits(self, x, attributes) -> tf.Tensor:
        """Returns the logits for `classify`, given the mean of z1, float32 `[batch, classes]`."""
        return self.logits_of(self.posterior(x, attributes)[0])

    @override
    def nats(self, x, attributes):
        """Returns the negative bound on log p(x|s), computed as for unlabeled examples."""
        inferred = self.drawn(self.posterior(x, attributes), self.score_seeds(x))
        unknown = tf.fill(tf.shape(x)[:1], -1)
        return tf.add_n(list(self.bound_terms(x, unknown, attributes, inferred).values()))

    # Use -------------------------------------------------------------------------------------

    @override
    def call(self, x, attributes, training=False):
        """Returns the mean of p(x|z1,s) for examples prepared by the edge."""
        mean, _ = self.posterior(x, attributes)
        return self.likelihood.mean(self.decoder([mean, attributes], training=training))

    @capability
    def encode(self, x, attributes):
        """Returns the mean and log variance of q(z1|x,s), each float32 `[n, latents]`."""
        return dict(zip(HEADS, self.posterior(x, attributes), strict=True))

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        for each in (self.encoder, self.upper_encoder, self.upper_decoder):
            require_moments(each, each.outputs)
        self.edges |= decoder_edges(self.decoder, self.likelihood)
        shape = self.encoder.inputs[0].shape[1:]
        self.edges["x"] = edge_of(self.likelihood, shape)
        classes = self.classifier.output_shape[-1]
        set_label_edges(self, classes)
        require_classes(2, self.encoder, self.decoder)
        require_classes(classes, self.upper_encoder, self.upper_decoder)
        self.edges["attributes"] = Labels(2, name="attributes")
        if self.columns is not None:
            set_table(self, self.columns, shape)
        put_first(
            self,
            self.encoder,
            self.decoder,
            self.upper_encoder,
            self.upper_decoder,
            self.classifier,
        )

    @classmethod
    @checked_arguments
    def for_table(
        cls,
        columns: Sequence[Column],
        classes: int = 2,
        latent_dim: int = 50,
        hidden: tuple[int, ...] = (100,),
        **kwargs,
    ):
        """Builds the model with dense networks, by default with the paper's sizes for Adult.

        Args:
            columns: Columns of the table, as returned by `keras_gen.data.table_columns`.
            classes: Number of classes.
            latent_dim: Number of dimensions of z1, which is also the number of dimensions of z2.
            hidden: Number of units in each hidden layer.
            **kwargs: Additional arguments for the class. The default likelihood is `ColumnNormal`.
        """
        size = width_of(columns)
        likelihood = likelihoods.get(kwargs.setdefault("likelihood", "column_normal"))
        encoder = partial(
            mlp_encoder, latent_dim=latent_dim, hidden=hidden, activation="softplus"
        )
        decoder = decoder_to(
            likelihood, mlp_decoder, (size,), latent_dim + 2, hidden, "softplus"
        )
        # The upper decoder also returns a mean and a log variance, of p(z1|z2,y).
        upper_encoder = encoder((latent_dim + classes,), heads=HEADS, name="upper_encoder")
        upper_decoder = encoder((latent_dim + classes,), heads=HEADS, name="upper_decoder")
        return cls(
            with_labels(encoder((size + 2,), heads=HEADS), 2),
            with_labels(decoder, 2),
            mlp_encoder((latent_dim,), classes, hidden=(), name="classifier"),
            with_labels(upper_encoder, classes),
            with_labels(upper_decoder, classes),
            columns=columns,
            **kwargs,
        )
