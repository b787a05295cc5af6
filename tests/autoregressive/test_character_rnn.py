"""Texts of four characters at most: their probabilities, samples and continuations."""

import itertools

import numpy as np
import pytest

from keras_gen.autoregressive import CharacterRNN
from keras_gen.networks import character_rnn

ALPHABET = "ab"
# All texts of up to 2 characters, which end, and all of 3, which are cut.
TEXTS = ["".join(t) for n in range(4) for t in itertools.product(ALPHABET, repeat=n)]


@pytest.fixture
def model(rng):
    network = character_rnn(levels=3, units=5)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.7, weight.shape))
    return CharacterRNN(network, ALPHABET, length=3)


def probabilities(model):
    return np.exp(model.log_prob(np.array(TEXTS)).astype("float64"))


def test_probabilities_of_all_texts_sum_to_1(model):
    p = probabilities(model)
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert p.std() > 0.01


@pytest.mark.thorough
def test_samples_are_as_frequent_as_they_are_probable(model):
    n = 4000
    p = probabilities(model)
    samples = model.sample(n, seed=1, batch_size=n)
    shares = np.array([(samples == text).mean() for text in TEXTS])
    assert (np.abs(shares - p) < 4 * np.sqrt(p * (1 - p) / n)).all()


@pytest.mark.thorough
def test_continuations_begin_with_the_prompt_and_follow_the_model(model):
    n = 4000
    p = probabilities(model)
    continued = model.continue_text("b", n=n, seed=1)
    given = np.where([text.startswith("b") for text in TEXTS], p, 0)
    given = given / given.sum()
    shares = np.array([(continued == text).mean() for text in TEXTS])
    assert (np.abs(shares - given) <= 4 * np.sqrt(given * (1 - given) / n)).all()
    likely = model.continue_text("b", n=20, temperature=1e-3, seed=1)
    assert len(set(likely)) == 1


@pytest.mark.thorough
def test_padding_counts_nothing(model):
    """The probability of a text that ends is that of its characters and the end sign alone."""
    whole = CharacterRNN(model.network, ALPHABET, length=7)
    np.testing.assert_allclose(whole.log_prob(["ab"]), model.log_prob(["ab"]), atol=1e-5)


@pytest.mark.parametrize(
    "prompt, message",
    [
        ("abc", "has 3 characters: expected fewer than the text length of 3"),
        ("x", "has the character x at position 0"),
        (3, "prompt has dtype int32: expected strings"),
    ],
)
def test_bad_prompts_are_refused(prompt, message, model):
    with pytest.raises((ValueError, TypeError), match=message):
        model.continue_text(prompt)


def test_networks_of_other_alphabets_are_refused(model):
    with pytest.raises(
        ValueError, match=r"expected 4 parameters of Categorical\(classes=4\) per value"
    ):
        CharacterRNN(model.network, "abc", length=3)
    with pytest.raises(ValueError, match="at least 1 LSTM"):
        character_rnn(3, blocks=0)


def test_texts_are_cut_into_pieces(tmp_path):
    text = "A book\r\nof é."
    file = tmp_path / "a book.txt"
    file.write_text(text, "utf-8", newline="")
    for given in (text, str(file), file):
        model = CharacterRNN.for_text(given, length=5, units=2, blocks=1)
        assert model.alphabet == "".join(sorted(set("A book\nof é.")))
        assert model.pieces(given) == ["A boo", "k\nof ", "é."]
    np.testing.assert_array_equal(
        model.edges["x"].restore(model.prepare(model.pieces(text))).numpy(),
        [piece.encode() for piece in model.pieces(text)],
    )
    for name in ("lost_book.txt", "ACGT", "folder/" + 250 * "a"):
        with pytest.raises(FileNotFoundError, match=r"^text is '.*expected the name of an exist"):
            CharacterRNN.for_text(name)
    for text in (100 * "ACGT", 100 * "\u6587"):
        model = CharacterRNN.for_text(text, length=5, units=2, blocks=1)
        assert model.alphabet == "".join(sorted(set(text))) and model.pieces(text)[0] == text[:5]
    for wrong in (3, None, b"a b", ["a b"]):
        with pytest.raises(TypeError, match=r"^text "):
            CharacterRNN.for_text(wrong)
    for wrong in ("", " \0 "):
        with pytest.raises(ValueError, match=r"^text is|^The texts have no characters"):
            CharacterRNN.for_text(wrong)
