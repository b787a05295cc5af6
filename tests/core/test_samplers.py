"""What a sampler in steps needs of the core: noise by seeds, integers, choices, frozen networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.core import GenerativeModel, sample
from keras_gen.core.kinds_of_data import Choice, Integer, Vectors
from keras_gen.core.noise import random_seeds, seeded
from keras_gen.serving.export import export, load

SHAPE = (2, 3)


@keras.saving.register_keras_serializable("tests")
class Walker(GenerativeModel):
    """Points that move in steps, each by noise from the seeds of the examples."""

    default_signature = "sample"
    frozen = ("teacher",)
    sample = sample

    def __init__(self, network, teacher, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.teacher = teacher
        self.scale = scale
        self.edges |= {
            "x": Vectors(SHAPE, "points"),
            "steps": Integer(1, 9, "steps"),
            "solver": Choice(("steady", "halving"), "solver"),
        }

    def noise(self, n, key):
        return random_seeds(n, key)

    def from_noise(self, seeds, steps=3, solver="steady"):
        def move(step, x):
            x = tf.switch_case(solver, [lambda: x, lambda: x / 2])
            noise = seeded(tf.random.stateless_normal, seeds, SHAPE, step)
            return step + 1, x + self.scale * noise

        start = tf.zeros([tf.shape(seeds)[0], *SHAPE])
        return tf.while_loop(lambda step, x: step < steps, move, [0, start])[1]

    def terms(self, batch):
        wanted = self.teacher(batch["x"], training=False)
        return {"fit": tf.reduce_sum((self.network(batch["x"]) - wanted) ** 2, axis=[1, 2])}


@pytest.fixture
def model():
    networks = [keras.Sequential([keras.Input(SHAPE), keras.layers.Dense(3)]) for _ in range(2)]
    return Walker(*networks)


def test_each_step_draws_noise_of_any_shape_by_the_seeds_of_examples(model):
    seven = model.sample(7, seed=3)
    assert seven.shape == (7, *SHAPE)
    np.testing.assert_array_equal(model.sample(7, seed=3, batch_size=3), seven)
    np.testing.assert_array_equal(model.sample(2, seed=3), seven[:2])
    one, two = (model.sample(2, seed=3, steps=steps) for steps in (1, 2))
    assert np.abs(two - 2 * one).min() > 0
    halved = model.sample(2, seed=3, steps=2, solver="halving")
    np.testing.assert_allclose(halved, two - one / 2, rtol=1e-5, atol=1e-6)


def test_other_conditions_are_refused(model):
    with pytest.raises(ValueError, match=r"^solver is 'euler': expected one of steady, halving\.$"):
        model.sample(1, solver="euler")
    with pytest.raises(TypeError, match=r"^solver has dtype int32 and shape \(\): expected one of"):
        model.sample(1, solver=1)
    with pytest.raises(TypeError, match=r"^steps has dtype float32: expected an integer in \[1, 9"):
        model.sample(1, steps=2.5)
    with pytest.raises(ValueError, match=r"^steps is 10: expected an integer"):
        model.sample(1, steps=10)
    with pytest.raises(ValueError, match=r"^steps has shape \(2,\): expected a single integer\.$"):
        model.sample(2, steps=[1, 2])
    del model.edges["solver"]
    with pytest.raises(
        TypeError,
        match=r"^Walker\.from_noise has the parameter 'solver', which self.edges does not contain",
    ):
        model.sample(1)


@pytest.mark.parametrize("label", [None, [], np.zeros(0, "int32")])
def test_conditions_without_a_value_are_refused(label):
    model = TINY["ConditionalGAN"].build(0)
    with pytest.raises(ValueError, match=r"^label is .*: expected one .* any class\.$"):
        model.sample(2, label=label)


def test_samples_follow_arguments_that_change(model):
    before = model.sample(2, seed=1)
    model.scale = 2.0
    np.testing.assert_allclose(model.sample(2, seed=1), 2 * before, rtol=1e-5)


def test_an_export_takes_integers_and_choices(model, tmp_path):
    exported = load(export(model, tmp_path, "walker"))
    for given in ({}, {"steps": 2, "solver": "halving"}):
        drawn = exported("sample", seed=4, n=3, **given)["points"]
        np.testing.assert_allclose(drawn, model.sample(3, seed=4, **given), rtol=1e-5)


def test_frozen_networks_are_saved_and_not_trained(model, tmp_path):
    before = model.teacher.get_weights()
    start = model.network.get_weights()[0]
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    model.fit(np.ones((4, *SHAPE), "float32"), batch_size=4, verbose=0)
    assert np.any(model.network.get_weights()[0] != start)
    model.save(tmp_path / "walker.keras")
    loaded = keras.models.load_model(tmp_path / "walker.keras")
    for teacher in (model.teacher, loaded.teacher):
        np.testing.assert_array_equal(teacher.get_weights()[0], before[0])


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:.* has not been trained")
@pytest.mark.parametrize(
    "name", ["VAE", "ConditionalVAE", "M2", "BIVA", "LadderVAE", "PriorSampledModel"]
)
def test_temperature_scales_the_latents_of_samples(name):
    model = TINY[name].build(0)
    given = {"label": 1} if "label" in model.edges or "labels" in model.edges else {}
    usual = model.noise

    def half(n, key):
        found = usual(n, key)
        if not isinstance(found, dict):
            return found / 2
        return found | {"latents": found["latents"] / 2}

    plain, cold, mode = (model.sample(5, 1, temperature=t, **given) for t in (1.0, 0.5, 0.0))
    np.testing.assert_array_equal(plain, model.sample(5, 1, **given))
    model.noise = half
    np.testing.assert_array_equal(cold, model.sample(5, 1, **given))
    if name != "ConditionalVAE":  # whose numbers have noise of their own
        assert (mode == mode[:1]).all()
    with pytest.raises(ValueError, match=r"temperature is -1: expected a number in \[0, 10\]"):
        model.sample(2, temperature=-1.0, **given)
    # A request without a temperature stays valid for an export.
    _, specs = model.signatures()["sample"]
    assert "temperature" not in [spec.name for spec in specs]
