"""The autoencoder of documents, from their words (Hinton & Salakhutdinov 2006)."""

import keras
import tensorflow as tf

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.data.edges import Texts


@keras.saving.register_keras_serializable("keras_gen")
class DocumentAutoencoder(Autoencoder):
    """Codes of documents, whose words it reconstructs: text in, words and their rates out.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
    fig. 4 and the supporting text: a document is the vector of its word counts over their sum, and
    the loss is the cross-entropy of these shares with a softmax over the vocabulary, in nats a
    word, so that long and short documents weigh the same.

    Deviations: as `Autoencoder`. The encoder gets the shares times the number of words in the
    vocabulary, 1 on average, for without the pretraining inputs near 0 teach it nothing.

    `fit` takes counts, `[batch, words]`; all else takes counts or texts. A document of which no
    word is known is all zeros: it has a code like any other, and a score of 0.

    Args:
        encoder: Shares of words `[batch, words]` to codes `[batch, ...]`.
        decoder: Codes to the likelihood's parameters, `[batch, words]`.
        vocabulary: The words, as `keras_gen.data.common_words` finds them.
        likelihood: Name or object: p(counts | code), such as "multinomial" or "poisson".
        top: How many words `decode` and `reconstruct` return.
        seed: Not used by this model.

    Raises:
        ValueError: If the networks do not fit each other or the vocabulary, or `top` is not
            between 1 and the number of words.

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

    def __init__(
        self,
        encoder,
        decoder,
        vocabulary: list[str],
        likelihood="multinomial",
        top: int = 10,
        seed=0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood=likelihood, seed=seed, **kwargs)
        size = len(vocabulary)
        shapes = [tuple(encoder.input_shape[1:]), tuple(decoder.output_shape[1:])]
        if shapes != [(size,)] * 2:
            raise ValueError(
                f"The encoder takes {shapes[0]} and the decoder gives {shapes[1]}: expected "
                f"({size},) of both, for a vocabulary of {size} words."
            )
        if not 1 <= top <= size:
            raise ValueError(f"top is {top}: expected 1 to {size}, the words of the vocabulary.")
        self.vocabulary, self.top = list(vocabulary), top
        texts = self.edges["x"] = Texts(vocabulary, top)
        # What the signatures read beside the networks: the table of words.
        self.resources = [texts.counter]

    def encoded(self, x, training=False):
        """Returns the codes of documents of any length."""
        return super().encoded(x / _lengths(x) * len(self.vocabulary), training)

    def loss_terms(self, x, inferred, training):
        """Returns `{"reconstruction": [batch]}`, in nats per word."""
        nats = super().loss_terms(x, inferred, training)["reconstruction"]
        return {"reconstruction": nats / _lengths(x)[:, 0]}


def _lengths(counts):
    """Known words of each document, `[batch, 1]`; 1 where there is none, to divide by."""
    total = tf.reduce_sum(counts, axis=-1, keepdims=True)
    return tf.where(total > 0, total, 1.0)
