"""Sweeps of many short trainings."""

import json
import random
from pathlib import Path

import keras
import pytest
import tensorflow as tf

# One recipe is run by the quick tests; here small runs are.
pytestmark = pytest.mark.thorough


def test_what_was_measured_is_not_measured_again(toy):
    assert toy("--output", "run") == 0
    assert toy.run.once("sum", lambda a, b: {"error": a + b}, 1, 2) == {"error": 3}
    first = toy.run.once("3 labels, seed 0", lambda: {"error": 1.5, "curve": (1, 2)})
    assert first == {"error": 1.5, "curve": [1, 2]}
    again = toy.run.once("3 labels, seed 0", lambda: pytest.fail("measured twice"))
    assert again == first
    other = toy.run.once("3 labels, seed 1", lambda: {"error": 2.5})
    assert other == {"error": 2.5}
    written = Path("run/measured/3 labels, seed 0.json")
    assert json.loads(written.read_text()) == first


def test_the_log_of_tensorflow_is_as_before_also_after_an_error(toy):
    """Within a measurement it holds errors alone, since each new model is traced anew."""
    assert toy("--output", "run") == 0
    logger = tf.get_logger()
    before, within = logger.level, []

    def measure():
        within.append(logger.level)
        raise OSError("no more disk")

    with pytest.raises(OSError, match="no more disk"):
        toy.run.once("a", measure)
    assert within == [40] and logger.level == before
    assert toy.run.once("a", lambda: {"error": 1}) == {"error": 1}


def test_each_seed_is_measured_once(toy):
    toy("--preset", "smoke", "--seed", "3")
    found = toy.run.each_seed("of {}", lambda seed: {"error": 2 * seed}, 2)
    assert found == [{"error": 6}, {"error": 8}]
    assert toy.run.once("of 4", lambda: {"error": 0}) == {"error": 8}


def test_an_interrupted_sweep_measures_what_an_unbroken_one_does(toy):
    """Weights without a seed, and the names of layers, do not depend on what ran before."""

    def measure():
        layer = keras.layers.Dense(2)
        layer.build((None, 2))
        return {"name": layer.name, "weights": layer.kernel.numpy().tolist()}

    def sweep():
        found = [toy.run.once(name, measure) for name in ("a", "b", "c")]
        return found, random.random(), keras.layers.Dense(1).name

    assert toy("--output", "run") == 0
    unbroken, then, _ = sweep()
    assert unbroken[0]["weights"] != unbroken[1]["weights"]
    assert {found["name"] for found in unbroken} == {"dense"}
    for name in ("b", "c"):
        Path(f"run/measured/{name}.json").unlink()
    keras.utils.set_random_seed(7)  # of a new process, in which nothing was measured yet
    resumed, then_too, further = sweep()
    assert resumed == unbroken and then_too == then
    assert further != "dense"  # beside those that stand outside already


def test_what_follows_a_training_depends_on_it_no_more(toy):
    """One that resumes after its end draws what an unbroken run draws."""
    toy("--output", "run")
    then = random.random()
    keras.utils.set_random_seed(7)
    toy.before = lambda run, source: keras.utils.set_random_seed(7)
    toy("--output", "other")
    assert random.random() == then
