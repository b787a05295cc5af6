"""Arguments that users give."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen import VAE, data, metrics, robustness
from keras_gen.arguments import (
    checked_array,
    checked_choice,
    checked_flag,
    checked_integer,
    checked_list,
    checked_number,
    checked_positive,
    checked_seed,
    checked_shape,
    checked_size,
    checked_sizes,
    only_given,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.gan import UnrolledGAN
from keras_gen.losses import ColumnNormal
from keras_gen.networks import dirac_networks


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3), tf.constant(3)])
def test_integers_of_any_kind_are_taken(value):
    found = checked_integer("n", value, minimum=3, maximum=3)
    assert found == 3 and type(found) is int


@pytest.mark.parametrize(
    "value", [1, 1.0, np.float32(1), np.int8(1), np.array(1.0), tf.constant(1)]
)
def test_numbers_of_any_kind_are_taken(value):
    found = checked_number("scale", value, 0, 1)
    assert found == 1 and type(found) is float and checked_positive("scale", value) == 1


def test_what_other_checks_return():
    assert checked_integer("seed", -(2**40)) == -(2**40)
    assert checked_flag("flag", np.False_) is False and checked_flag("flag", True) is True
    assert checked_choice("kind", "b", {"a": 1, "b": 2}) == "b"
    with pytest.raises(ValueError, match=r"^norm is 2: expected one of 'inf', '2'\.$"):
        checked_choice("norm", 2, ["inf", "2"])
    assert checked_list("sizes", (3, 2)) == [3, 2] == checked_list("sizes", np.array([3, 2]))
    assert checked_seed(0) == 0 and checked_seed(2**31 - 1) == 2**31 - 1
    assert checked_shape("shape", 8) == (8,)
    assert checked_shape("shape", [np.int64(7), 2]) == (7, 2)


NAN, INF = float("nan"), float("inf")
NO_INTEGERS = [1.0, 2.5, True, np.True_, "3", None, [3], np.float32(3)]
NO_NUMBERS = [True, np.True_, "1", None, [1.0], np.ones(1), object()]


def at_least_1(value):
    return checked_integer("n", value, minimum=1)


def fraction(value):
    return checked_number("scale", value, 0, 1)


REFUSED = [  # a check, the error, values, and what is said of each
    (at_least_1, TypeError, NO_INTEGERS, "n is .*: expected an integer of at least 1"),
    (at_least_1, ValueError, [0], "n is 0: expected an integer of at least 1"),
    (lambda n: checked_integer("n", n, 1, 4), ValueError, [5],
     "n is 5: expected an integer from 1 to 4"),
    (lambda n: checked_integer("n", n), TypeError, [None], "n is None: expected an integer"),
    (fraction, TypeError, NO_NUMBERS, "scale is .*: expected a number from 0 to 1"),
    (fraction, ValueError, [NAN, INF, -0.1, 1.5], "scale is .*: expected a number from 0 to 1"),
    (lambda rate: checked_positive("rate", rate), ValueError, [0.0, -1, NAN, INF],
     r"rate is (0|-1|nan|inf): expected .*"),
    (lambda flag: checked_flag("flag", flag), TypeError, [1, 0.0, "yes", None, [True]],
     "flag is .*: expected True or False"),
    (lambda kind: checked_choice("kind", kind, ("a", "b")), ValueError, ["c", None, ["a"], 3],
     "kind is .*: expected one of a, b"),
    (lambda sizes: checked_list("sizes", sizes), TypeError, ["ab", None, 3, {"a": 1}],
     "sizes is .*: expected a list"),
    (checked_seed, ValueError, [-1, 2**31],
     "seed is (-1|2147483648): expected an integer from 0 to 2147483647"),
    (lambda shape: checked_shape("shape", shape), TypeError, [2.5],
     r"shape is 2\.5: expected an integer of at least 1"),
    (lambda shape: checked_shape("shape", shape), ValueError, [()], "shape is empty.*"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "error", "values", "sentence"), REFUSED)
def test_what_is_refused(check, error, values, sentence):
    for value in values:
        with pytest.raises(error, match=rf"^{sentence}\.$"):
            check(value)


def test_long_values_are_shown_in_short():
    """An array of many numbers would fill the screen."""
    with pytest.raises(
        TypeError,
        match=r"ndarray of shape \(9, 28, 28, 1\) and dtype float64: expected .* at least 1\.$",
    ):
        checked_integer("batch_size", np.zeros((9, 28, 28, 1)), 1)
    with pytest.raises(TypeError, match=r"is \[0, 1, .*\.\.\.: expected an integer") as caught:
        checked_integer("batch_size", list(range(1000)), 1)
    assert len(str(caught.value)) < 130
    for large in (10**400, 10**5000):
        with pytest.raises(ValueError, match="expected an integer from 1 to 9") as caught:
            checked_integer("batch_size", large, 1, 9)
        assert len(str(caught.value)) < 130


@checked_arguments(square=True)
def image_shape(shape: tuple):
    return shape


@pytest.mark.parametrize("shape", [(28, 28), "28", (), [1, 2, 3, 4], {28: 0, 27: 0, 3: 0}])
def test_what_is_no_shape_of_images(shape):
    with pytest.raises((TypeError, ValueError), match=r"\(height, width, channels\)"):
        image_shape(shape)


def test_shapes_of_images_have_one_number_or_three():
    assert image_shape(28) == (28, 28, 1)
    assert image_shape((20, 28, 3)) == (20, 28, 3)
    with pytest.raises(ValueError, match="shape is 0: expected an integer of at least 1"):
        image_shape((0, 28, 1))


def test_one_argument_is_given():
    assert only_given(classes=None, conditions=2) == 2
    for classes, conditions in ((None, None), (3, 2)):
        sentence = (
            f"^classes is {classes} and conditions is {conditions}: expected exactly one of these"
        )
        with pytest.raises(ValueError, match=sentence):
            only_given(classes=classes, conditions=conditions)


@pytest.mark.parametrize(
    "check",
    [
        lambda size: checked_size("units", size),
        lambda size: checked_sizes("units", [4, size]),
        lambda size: checked_shape("units", (4, size)),
    ],
)
def test_sizes_that_no_machine_holds_are_refused(check):
    check(2**20)
    with pytest.raises(
        ValueError, match=r"^units is 1000000000: expected an integer of at most 1048576\.$"
    ):
        check(10**9)
    with pytest.raises(ValueError, match=r"^units is 0: expected an integer of at least 1\.$"):
        check(0)


WORK = {
    "APGD": lambda n: robustness.APGD(0.1, steps=n),
    "BIM": lambda n: robustness.BIM(0.1, steps=n),
    "PGD": lambda n: robustness.PGD(0.1, steps=n),
    "SquareAttack": lambda n: robustness.SquareAttack(0.1, queries=n),
    "ColumnNormal": lambda n: ColumnNormal(minimum_scale=n),
    "restarts": lambda n: robustness.robust_accuracy(abs, [0.0], [0], {}, restarts=n),
    "UnrolledGAN": lambda n: UnrolledGAN(*dirac_networks(), data="vectors", unrolled_steps=n),
}


@pytest.mark.parametrize("make", WORK.values(), ids=WORK)
def test_work_has_an_upper_limit(make):
    with pytest.raises(ValueError, match=r"^[\w' ]+ is 1e?[+0]+9?: expected .*(to|at most) [\d_]+"):
        make(10**9)


NUMBERS = np.ma.masked_greater(np.arange(24.0).reshape(12, 2), 20)
CLASSES = np.ma.masked_equal(np.arange(12) % 3, 2)
# Functions of arrays alone are called with such by tests/contracts/test_functions.py.
MASKED = {
    "source": lambda: data.Source(NUMBERS),
    "source of several": lambda: data.Source((NUMBERS.data, CLASSES)),
    "a list": lambda: metrics.frechet_distance(list(NUMBERS), NUMBERS.data),
    "a list of lists": lambda: checked_array("values", [[1.0, np.ma.masked], [2.0, 3.0]]),
    "predict": lambda: VAE.for_vectors(2, standardize=False).predict(NUMBERS, verbose=0),
    "predict of a dict": lambda: VAE.for_vectors(2).predict({"x": NUMBERS}, verbose=0),
    "call": lambda: VAE.for_vectors(2)(NUMBERS),
    "a row": lambda: VAE.for_vectors(2, standardize=False).encode(list(NUMBERS)),
}


@pytest.mark.parametrize("call", MASKED.values(), ids=MASKED)
def test_masked_values_are_refused_as_missing_ones(call):
    with pytest.raises(ValueError, match=r"masked|missing") as caught:
        call()
    assert "\n" not in str(caught.value)


def test_masked_arrays_that_hide_nothing_are_arrays():
    values = np.ma.masked_greater(np.arange(4.0), 9)
    np.testing.assert_array_equal(checked_array("values", values), np.arange(4.0))
    sentence = r"^values is a masked array that hides 2 of its values: expected an array without"
    with pytest.raises(ValueError, match=sentence):
        checked_array("values", np.ma.masked_greater(values, 1))
