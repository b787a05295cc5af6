"""The autoencoder of documents, from their words (Hinton & Salakhutdinov 2006)."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.data import WordCounts
from keras_gen.training import require


@keras.saving.register_keras_serializable("keras_gen")
class DocumentAutoencoder(Autoencoder):
    """Codes of documents, whose words it brings back: text in, words and their rates out.

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

    encoder = mlp_encoder((4,), latents=2, hidden=(8,), outputs=("codes",))
    words = ["cat", "cow", "dog", "milk"]
    model = DocumentAutoencoder(encoder, mlp_decoder((4,), latents=2, hidden=(8,)), words, top=2)
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
        self._counter = WordCounts(self.vocabulary)

    @property
    def resources(self) -> list:
        """What the signatures read beside the networks: the table of words."""
        return [self._counter]

    def loss_terms(self, x, training: bool) -> dict:
        """Returns `{"reconstruction": [batch]}`, in nats a word."""
        nats = super().loss_terms(x, training)["reconstruction"]
        return {"reconstruction": nats / _lengths(x)[:, 0]}

    def _codes(self, x, training):
        return super()._codes(x / _lengths(x) * len(self.vocabulary), training)

    # Edges -----------------------------------------------------------------------------------

    def prepare(self, counts) -> tf.Tensor:
        """Counts the words of texts, or checks counts: the edge of every step.

        Args:
            counts: Strings `[batch]`, or numbers from 0 on `[batch, words]`.

        Returns:
            Float32 counts `[batch, words]`.

        Raises:
            TypeError: If they are neither.
            ValueError: If their shape is another; in eager use, if one is negative or not finite
                (in `fit`, the same sentence is raised by `fit`).
        """
        counts = tf.convert_to_tensor(counts)
        if counts.dtype == tf.string:
            return self._counter(counts)
        if not (counts.dtype.is_floating or counts.dtype.is_integer):
            raise TypeError(
                f"Counts have dtype {counts.dtype.name}: expected integers such as uint8, floats, "
                "or texts as strings."
            )
        if not counts.shape.is_compatible_with([None, len(self.vocabulary)]):
            raise ValueError(
                f"Counts have shape {counts.shape}: expected [batch, {len(self.vocabulary)}], one "
                "for each word of the vocabulary."
            )
        counts = tf.cast(counts, tf.float32)
        least, most = tf.reduce_min(counts), tf.reduce_max(counts)
        # Comparisons with NaN are false, so NaN is refused too.
        sentence = "Counts have values from {} to {}: expected finite numbers from 0 on."
        with tf.control_dependencies(
            [require((least >= 0) & (most < np.inf), sentence, least, most)]
        ):
            return tf.identity(counts)

    # Use -------------------------------------------------------------------------------------

    def encode(self, documents, batch_size: int = 256):
        """Returns the codes, float32 `[n, ...]`.

        Args:
            documents: Texts `[n]` or counts `[n, words]`.
            batch_size: Documents at once.
        """
        return super().encode(documents, batch_size)

    def decode(self, codes):
        """Returns the `top` words of highest rate under p(counts | code), highest first.

        Returns:
            The words, strings `[n, top]`, and their rates, float32 `[n, top]`: the probabilities
            of a multinomial, the expected counts of a Poisson.
        """
        return _as_text(self._decoded(tf.cast(codes, tf.float32)))

    def reconstruct(self, documents, batch_size: int = 256):
        """Returns words and rates as `decode` does, of texts `[n]` or counts `[n, words]`."""
        return self.decode(self.encode(documents, batch_size))

    def interpolate(self, a, b, steps: int = 8):
        """Decodes points on the line between the codes of the documents `a` and `b`.

        Args:
            a: Texts `[n]` or counts `[n, words]`.
            b: The same number of documents.
            steps: Points, both ends included.

        Returns:
            Words and rates as of `decode`, `[n, steps, top]`.
        """
        line = self._line(a, b, steps)
        decoded = self.decode(line.reshape(-1, *line.shape[2:]))
        words, rates = (part.reshape(*line.shape[:2], self.top) for part in decoded)
        return words, rates

    def score(self, documents, batch_size: int = 256) -> np.ndarray:
        """Returns -log p(counts | code) of each document: high for what is unlike the training's.

        Under a multinomial that is the sum over its known words, without the multinomial
        coefficient, so that long documents score higher than short ones.

        Args:
            documents: Texts `[n]` or counts `[n, words]`.
            batch_size: Documents at once.

        Returns:
            Float32 `[n]`, nats a document.
        """
        return super().score(documents, batch_size)

    def _examples(self) -> tf.TensorSpec:
        return tf.TensorSpec([None], tf.string, name="texts")

    def _decoded(self, codes) -> dict:
        rates = self.likelihood.mean(self.decoder(codes, training=False))
        rates, numbers = tf.math.top_k(rates, self.top)
        return {"words": tf.gather(tf.constant(self.vocabulary), numbers), "rates": rates}


def _lengths(counts):
    """Known words of each document, `[batch, 1]`; 1 where there is none, to divide by."""
    total = tf.reduce_sum(counts, axis=-1, keepdims=True)
    return tf.where(total > 0, total, 1.0)


def _as_text(decoded) -> tuple[np.ndarray, np.ndarray]:
    """Words as Python's strings, and rates."""
    words = decoded["words"].numpy()
    return np.vectorize(bytes.decode, otypes=[str])(words), decoded["rates"].numpy()
