"""The document autoencoder, a model of word counts (Hinton & Salakhutdinov 2006)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_list, checked_number
from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.core.kinds_of_data import Texts
from keras_gen.declared import Named, PositiveInteger, argument, made_by
from keras_gen.losses import likelihoods
from keras_gen.losses.likelihoods import Likelihood


def weights_of_words(name, value):
    """Returns a list of nonnegative numbers."""
    return [checked_number(name, each, minimum=0) for each in checked_list(name, value)]


@keras.saving.register_keras_serializable("keras_gen")
class DocumentAutoencoder(Autoencoder):
    """An autoencoder for documents that reconstructs the most frequent words and their rates.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
    fig. 4 and the supporting text: a document is the vector of its word counts divided by their
    sum. The loss, in nats per word, is the cross-entropy between these fractions and a softmax over
    the vocabulary, so long and short documents have the same weight.

    With `idf`, rare words count more: a document is its tf-idf vector (Salton, Buckley:
    "Term-Weighting Approaches in Automatic Text Retrieval", Information Processing & Management
    1988). Each value is log(1 + count) times the inverse document frequency of the word, and all
    vectors are normalized to the same length. The encoder receives this vector, and the likelihood,
    such as "normal", is the distribution of this vector given the code.

    `fit` accepts counts, `[batch, words]`; other methods accept counts or texts. A document without
    known words becomes a vector of zeros. With `"multinomial"`, the score of such a document is 0;
    other likelihoods assign a probability to the zeros.

    Deviations: see `Autoencoder`. In addition, inputs are scaled, because without pretraining, the
    encoder learns nothing from inputs near 0. The fractions are multiplied by the size of the
    vocabulary, so that their mean is 1, and tf-idf vectors are scaled to a mean square of 1.

    Args:
        encoder: Network that maps fractions of words `[batch, words]` to codes `[batch, ...]`.
        decoder: Network that maps codes to the likelihood's parameters, `[batch, words]`.
        vocabulary: Words, as returned by `keras_gen.data.common_words`.
        likelihood: Likelihood, a name or an object: p(counts | code), such as "multinomial" or
            "poisson", or with `idf`, p(tf-idf | code), such as "normal".
        idf: Inverse document frequency of each word, nonnegative, as in scikit-learn's
            `TfidfTransformer`. If None, documents are represented as fractions of words.
        top: Number of words returned by `decode` and `reconstruct`.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the networks do not match the vocabulary, if `top` is not between 1 and the
            number of words, or if `idf` has a different number of words.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    encoder = mlp_encoder((4,), latent_dim=2, hidden=(8,))
    words = ["cat", "cow", "dog", "milk"]
    model = DocumentAutoencoder(encoder, mlp_decoder((4,), latent_dim=2, hidden=(8,)), words, top=2)
    model.compile()
    model.fit(np.array([[2, 0, 1, 0], [0, 1, 0, 3]]))
    words, rates = model.reconstruct(["The cat saw a dog and a cat."])
    ```
    """

    reconstructs_pairs = False
    no_builders = (
        "is for texts: build it with an encoder and a decoder whose sizes match the vocabulary, "
        "such as keras_gen.networks.mlp_encoder and mlp_decoder."
    )

    vocabulary: list = argument(check=checked_list, kw_only=True)
    likelihood: Named[Likelihood] = made_by(likelihoods.get, default="multinomial")
    idf: list | None = argument(check=weights_of_words, default=None)
    top: PositiveInteger = 10

    @override
    def terms(self, batch):
        x = batch["x"]
        nats = self.nats(x)
        return {"reconstruction": nats / _lengths(x)[:, 0] if self.idf is None else nats}

    @override
    def encoded(self, x):
        fractions = x / _lengths(x) * len(self.vocabulary)
        return super().encoded(fractions if self.idf is None else self._target(x))

    @override
    def nats(self, x):
        return self.reconstruction(self.encoded(x)[0], self._target(x))

    @override
    def signatures(self) -> dict:
        """Returns signatures for texts, and three for counts, for runtimes without strings."""
        counts = tf.TensorSpec([None, len(self.vocabulary)], tf.float32, name="counts")
        x = self.edges["x"]
        z = self.edges["latents"]
        return super().signatures() | {
            "encode_counts": (lambda n: {"codes": self.encoded(x.prepare(n))[0]}, [counts]),
            "reconstruct_counts": (lambda n: {"rates": self(x.prepare(n))}, [counts]),
            "decode_rates": (lambda c: {"rates": self.reconstructed(z.prepare(c))}, [z.spec()]),
        }

    def _target(self, x):
        """Returns the values to reconstruct: counts, or tf-idf vectors with a mean square of 1."""
        if self.idf is None:
            return x
        # Do not use log1p, which some runtimes for exported models lack.
        weighted = tf.math.log(1.0 + x) * tf.constant(list(self.idf), tf.float32)
        return tf.math.l2_normalize(weighted, axis=-1) * len(self.vocabulary) ** 0.5

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        size = len(self.vocabulary)
        shapes = [tuple(self.encoder.input_shape[1:]), tuple(self.decoder.output_shape[1:])]
        if shapes != [(size,)] * 2:
            raise ValueError(
                f"The encoder accepts {shapes[0]} and the decoder returns {shapes[1]}: expected "
                f"({size},) for both, because the vocabulary has {size} words."
            )
        checked_integer("top", self.top, 1, size)
        if self.idf is not None and len(self.idf) != size:
            raise ValueError(
                f"idf has {len(self.idf)} numbers: expected one number for each of the {size} "
                "words."
            )
        texts = self.edges["x"] = Texts(self.vocabulary, self.top)
        # The signatures read the networks and the table of words.
        self.resources = [texts.counter]


def _lengths(counts):
    """Returns the number of known words per document, `[batch, 1]`, or 1 if a document has none."""
    total = tf.reduce_sum(counts, axis=-1, keepdims=True)
    return tf.where(total > 0, total, 1.0)
