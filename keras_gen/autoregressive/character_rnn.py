"""A recurrent character-level language model."""

import os

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_path, shown
from keras_gen.autoregressive.causal_model import CausalModel
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core.capabilities import for_users
from keras_gen.core.kinds_of_data import Characters, Prompt
from keras_gen.data.transforms.texts import characters_of
from keras_gen.declared import Count
from keras_gen.files.reading import read_text
from keras_gen.losses import Categorical
from keras_gen.networks import character_rnn


@keras.saving.register_keras_serializable("keras_gen")
class CharacterRNN(CausalModel):
    """A character-level language model that predicts each character from the preceding text.

    Graves: "Generating Sequences With Recurrent Neural Networks", 2013, eqs. (1) to (4). In
    training, each character is predicted from the true preceding characters (teacher forcing), so
    the loss is the exact negative log-likelihood in nats. Texts end with an end token, which is
    also predicted.

    Deviations: see the network, `keras_gen.networks.character_rnn`.

    Args:
        network: Network that maps character indices `[batch, time, 1]`, with -1 for padding, to
            logits `[batch, time, len(alphabet) + 1]`. The logits of a character depend only on
            preceding characters.
        alphabet: String that contains each character once.
        length: Number of characters in an example, and maximum length of a sampled text.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If a character is repeated in the alphabet; see also `CausalModel`.

    Example:
    ```python
    from keras_gen.networks import character_rnn
    model = CharacterRNN(character_rnn(levels=4, units=8), alphabet="abc", length=12)
    model.compile()
    numbers = model.prepare(["abcabc", "bcabca"] * 4).numpy()  # indices of characters
    model.fit(numbers, batch_size=4)
    texts = model.continue_text("abca", n=3, temperature=0.5, seed=1)
    ```
    """

    padded = True

    alphabet: str
    length: Count

    @override
    def noise_shape(self):
        return [self.length, 1, self.likelihood.uniforms_per_value]

    @override
    def from_noise(self, noise, prompt="", temperature=1.0):
        """Returns texts that begin with the prompt, sampled character by character."""
        return self.draw_values(
            noise, temperature, known=prompt, missing=tf.cast(prompt < 0, tf.int32)
        )

    @for_users
    def continue_text(
        self, prompt: str, n: int = 1, temperature: float = 1.0, seed: int | None = None
    ) -> np.ndarray:
        """Samples strings `[n]` of up to `length` characters that begin with a prompt.

        Args:
            prompt: Beginning of the texts, shorter than `length`, with characters from the
                alphabet.
            n: Number of texts, at least 1.
            temperature: Divisor of the logits; values below 1 make likely characters more likely.
            seed: Seed, 0 to 2**31 - 1. If None, each call returns different texts.

        Raises:
            ValueError: If the prompt is too long or contains an unknown character, or if a number
                is out of range.
        """
        return self.sample(n, seed, prompt=prompt, temperature=temperature)

    @for_users
    def pieces(self, text: str | os.PathLike) -> list[str]:
        """Cuts a text into consecutive pieces of `length` characters, which are examples for `fit`.

        The last piece may be shorter. Line endings become newlines.

        Args:
            text: See `for_text`. To be usable in `fit`, the pieces must contain only characters
                from the alphabet.

        Raises:
            TypeError, OSError, ValueError: See `for_text`.
        """
        text = _read(text)
        return [text[start : start + self.length] for start in range(0, len(text), self.length)]

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        characters = Characters(self.alphabet, self.length)
        self.likelihood = Categorical(characters.levels)
        super().set_up()
        self.edges["x"] = characters
        self.edges["prompt"] = Prompt(self.alphabet, self.length, "prompt")

    @classmethod
    @checked_arguments
    def for_text(
        cls,
        text: str | os.PathLike,
        length: int = 64,
        units: int = 256,
        blocks: int = 2,
        **kwargs,
    ):
        """Builds the model for a text, with the network `keras_gen.networks.character_rnn`.

        The alphabet consists of the characters that occur in the text. `pieces` cuts the text into
        examples for `fit`.

        Args:
            text: Text, or the path of a UTF-8 file, as a string or a `pathlib.Path`. A string is
                treated as a path if it is the name of an existing file, or if it has no whitespace
                and is short enough to be a file name.
            length: Number of characters in an example, and maximum length of a sampled text.
            units: Number of units in each LSTM.
            blocks: Number of LSTM layers.
            **kwargs: Additional arguments for the class.

        Raises:
            TypeError: If `text` is neither a string nor a path.
            OSError: If the file does not exist, or cannot be read.
            ValueError: If the text is empty, or if the file is not UTF-8.

        Example:
        ```python
        model = CharacterRNN.for_text("To be, or not to be.", length=16)
        model.compile()
        model.fit(model.pieces("To be, or not to be."), batch_size=2)
        ```
        """
        alphabet = characters_of([_read(text)])
        network = character_rnn(len(alphabet) + 1, units, blocks)
        return cls(network, alphabet=alphabet, length=length, **kwargs)


def _read(text: str | os.PathLike) -> str:
    """Returns a text, or the text in a file, with newlines as line endings."""
    is_text = isinstance(text, str) and not os.path.exists(text)
    if is_text and "\0" in str(text):
        raise ValueError(f"text is {shown(text)}: expected text without NUL characters.")
    if is_text and len(str(text).split()) == 1 and _may_be_a_file(str(text)):
        raise FileNotFoundError(
            f"text is {shown(text)}: expected the name of an existing file, because this text has "
            "no whitespace. To use text without whitespace, write it to a file and pass the file's "
            "name."
        )
    contents = str(text) if is_text else read_text(checked_path("text", text))
    return contents.replace("\r\n", "\n").replace("\r", "\n")


def _may_be_a_file(name: str) -> bool:
    """Returns whether a name is short enough to be a file name."""
    return max(map(len, name.encode(errors="replace").split(b"/"))) <= 255
