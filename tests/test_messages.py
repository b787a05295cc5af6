"""What the runtime's errors say in our words."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.messages import (
    BAD_INPUT,
    END,
    in_words,
    known_names,
    nearest,
    out_of_memory,
    refusal,
    warn,
)


def refused(shape):
    """Raises what TensorFlow raises, without its 10 s of waiting for memory."""
    text = f"OOM when allocating tensor with shape{shape} and type float on /job:localhost"
    raise tf.errors.ResourceExhaustedError(None, None, text)


@pytest.mark.parametrize("ask", [np.empty, refused, pytest.param(tf.zeros, marks=pytest.mark.slow)])
def test_memory_that_is_too_small(ask):
    with pytest.raises((MemoryError, tf.errors.ResourceExhaustedError)) as caught:
        ask([2**15, 2**30])
    assert out_of_memory(caught.value) == (
        "there is not enough memory for an array of shape [32768,1073741824]: choose smaller "
        "images, networks, or batches."
    )
    assert out_of_memory(MemoryError()).startswith("there is not enough memory for this operation")
    assert out_of_memory(ValueError("shape [1]")) is None


@pytest.mark.parametrize(
    "name, end",
    [
        ("lable", "; did you mean label?"),
        ("l", "; did you mean label or length?"),  # they begin so
        ("xyz", "."),
        ("", "."),
    ],
)
def test_nearest(name, end):
    assert nearest(name, iter(["label", "length", "psi"])) == end


def test_many_known_names_are_counted():
    names = [f"{first}{second}" for first in "abcde" for second in "vwxyz"]
    assert known_names("nope", names[:2]) == ", which contains: av, aw."
    assert known_names("nope", names) == ", which contains 25 names, such as av, aw, ax."


def test_sentences_of_the_runtime_have_no_escapes():
    text = f"Assert failed: [{BAD_INPUT}solver is \\'] [nope] [\\': expected heun.{END}]"
    assert refusal(text) == "solver is 'nope': expected heun."


@pytest.mark.parametrize(
    "name, words",
    [
        ("kl_loss", "KL divergence (nats)"),
        ("val_d_loss", "validation discriminator loss"),
        ("non_saturating_r1", "non-saturating R1"),
        ("loss", "loss"),
        ("digit 3 (0.98)", "digit 3 (0.98)"),
        ("pcad", "pcad"),
    ],
)
def test_names_in_words(name, words):
    assert in_words(name) == words


def test_a_warning_shows_the_line_outside_the_library():
    with pytest.warns(UserWarning, match="^It is odd$") as found:
        warn("It is odd")
    assert found[0].filename == __file__
