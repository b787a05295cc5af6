"""Few-shot talking heads: the score of eq. (3), the terms of eq. (2), embeddings and adaptation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import Hinge
from keras_gen.networks import talking_head_networks
from keras_gen.translation import Pix2Pix, TalkingHeads
from shared import losses_of

SHAPE = (8, 8, 3)
PEOPLE = 3
SHOTS = 2


def _networks(**options):
    sizes = dict(people=PEOPLE, embedding_dim=5, filters=2, stages=2, blocks=1)
    return talking_head_networks(SHAPE, **sizes | options)


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    built = TalkingHeads(
        **_networks(), pixel_weight=20.0, matching_weight=3.0, embedding_weight=4.0
    )
    built.compile(run_eagerly=True)
    return built


@pytest.fixture
def batch(model, rng):
    def images(*sizes):
        return rng.uniform(-1, 1, (*sizes, *SHAPE)).astype("float32")

    parts = images(4), images(4), images(4, SHOTS), images(4, SHOTS), np.array([2, 0, 1, 1])
    return model.prepare_batch(tuple(map(tf.constant, parts)))


def test_the_score_is_a_logit_and_the_product_with_the_vector_of_the_person(model, batch):
    pairs = tf.concat([batch["x"], batch["y"]], axis=-1)
    logits, features, *_ = model.discriminator(pairs)
    [vectors] = [w for w in model.identities.get_weights() if w.shape == (PEOPLE, 5)]
    expected = logits[:, 0] + np.sum(features * vectors[[2, 0, 1, 1]], axis=1)
    np.testing.assert_allclose(model._scored(batch["y"], batch)[0][:, 0], expected, rtol=1e-5)


def test_embeddings_are_means_over_the_shots(model, batch):
    found = model._embedded(batch["shots"], batch["shot_landmarks"])
    pairs = tf.concat([batch["shot_landmarks"], batch["shots"]], axis=-1)
    each = np.stack([model.embedder(pairs[:, place]) for place in range(SHOTS)])
    np.testing.assert_allclose(found, each.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_terms_are_those_of_eq_2(model, batch):
    losses = losses_of(model, *(batch[name] for name in model.batch))
    embedding = model._embedded(batch["shots"], batch["shot_landmarks"])
    predicted = model.generator([batch["x"], embedding])
    vectors = model.identities(batch["labels"])
    score, maps = model._scored(predicted, batch)
    real_score, real_maps = model._scored(batch["y"], batch)
    apart = [np.abs(a - b).mean() for a, b in zip(maps, real_maps, strict=True)]
    expected = {
        "pixel_loss": np.abs(predicted - batch["y"]).mean(),
        "adversarial_loss": -np.mean(score),
        "matching_loss": np.sum(apart),
        "embedding_loss": np.abs(embedding - vectors).mean(),
        "d_loss": np.mean(Hinge().discriminator(real_score, score)),
    }
    assert {name: losses[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    weights = model.loss_weights()
    assert weights == {"pixel": 20.0, "adversarial": 1.0, "matching": 3.0, "embedding": 4.0}
    total = sum(weight * losses[f"{name}_loss"] for name, weight in weights.items())
    assert losses["g_loss"] == pytest.approx(total, rel=1e-5)


@pytest.mark.thorough
def test_features_of_a_network_can_be_compared_too(batch):
    features = keras.Sequential([keras.Input(SHAPE), keras.layers.Conv2D(2, 3)])
    model = TalkingHeads(**_networks(), feature_network=features, feature_weight=0.5)
    model.compile()
    losses = losses_of(model, *(batch[name] for name in model.batch))
    assert model.loss_weights()["feature"] == 0.5 and losses["feature_loss"] > 0
    assert all(features is not network for network in model.networks_of("g_optimizer"))


@pytest.mark.thorough
def test_people_are_embedded_and_drawn_from_any_number_of_shots(model, rng):
    frames = rng.integers(0, 256, (PEOPLE, 4, *SHAPE), "uint8")
    maps = rng.integers(0, 256, (PEOPLE, 4, *SHAPE), "uint8")
    one = model.embed(frames[:, :1], maps[:, :1])
    both = model.embed(frames[:, :2], maps[:, :2])
    second = model.embed(frames[:, 1:2], maps[:, 1:2])
    np.testing.assert_allclose(both, (one + second) / 2, atol=1e-5)
    assert model.render(maps[:, 3], both).shape == (PEOPLE, *SHAPE)


@pytest.mark.thorough
def test_a_person_is_learned_by_copies_that_start_from_the_embedding(model, rng):
    frames = rng.integers(0, 256, (2, *SHAPE), "uint8")
    maps = rng.integers(0, 256, (2, *SHAPE), "uint8")
    before = [w.copy() for network in model.networks.values() for w in network.get_weights()]
    embedding = model.embed(frames[None], maps[None])
    same = model.adapt(frames, maps, steps=1, learning_rate=0.0)
    assert isinstance(same, Pix2Pix) and isinstance(same.objective, Hinge)
    drawn = model.render(maps, np.repeat(embedding, 2, axis=0))
    np.testing.assert_array_equal(same.translate(maps), drawn)

    bright = np.full_like(frames, 230)
    learned = model.adapt(bright, maps, steps=40, learning_rate=1e-3)
    error = np.abs(learned.translate(maps).astype(int) - bright).mean()
    assert error < 0.7 * np.abs(drawn.astype(int) - bright).mean()
    after = [w for network in model.networks.values() for w in network.get_weights()]
    np.testing.assert_equal(before, after)


def test_a_person_is_learned_at_the_rates_of_the_paper(model, rng, monkeypatch):
    """5e-5, and 2e-4 of the discriminator: sec. 4."""
    monkeypatch.setattr(Pix2Pix, "fit", lambda *args, **options: None)
    frames = rng.integers(0, 256, (2, *SHAPE), "uint8")
    adapted = model.adapt(frames, frames)
    rates = [float(o.learning_rate) for o in (adapted.g_optimizer, adapted.d_optimizer)]
    assert rates == pytest.approx([5e-5, 2e-4])


@pytest.mark.thorough
def test_what_does_not_fit_is_refused(model):
    networks = _networks()
    others = _networks(embedding_dim=4)
    with pytest.raises(ValueError, match=r"generator accepts person of shape \(4,\): expected"):
        TalkingHeads(**networks | {"generator": others["generator"]})
    with pytest.raises(ValueError, match=r"accepts \(8, 8, 3\): expected \(8, 8, 6\), landmarks"):
        inputs = keras.Input(SHAPE)
        vector = keras.layers.Dense(5)(keras.layers.Flatten()(inputs))
        maps = keras.layers.Conv2D(2, 3)(inputs)
        critic = keras.Model(inputs, [keras.layers.Dense(1)(vector), vector, maps])
        embedder = keras.Model(inputs, vector)
        TalkingHeads(**networks | {"embedder": embedder, "discriminator": critic})
    with pytest.raises(ValueError, match=r"has 1 input: expected 2 \(landmarks person -> image"):
        TalkingHeads(**networks | {"generator": networks["embedder"]})
    with pytest.raises(ValueError, match=r"has 1 output: expected 3 \(landmarks_and_image -> "):
        TalkingHeads(**networks | {"discriminator": networks["embedder"]})
    frames = np.zeros((2, *SHAPE), "uint8")
    for images, landmarks in ((frames[:0], frames[:0]), (frames, frames[:1])):
        with pytest.raises(
            ValueError, match="landmarks: expected one landmark image per image, and at"
        ):
            model.adapt(images, landmarks)
    for other in (1, 3):
        with pytest.raises(
            ValueError, match=f"contains 2 images and shot_landmarks {other} images"
        ):
            model.embed(np.stack([frames] * 2), np.zeros((2, other, *SHAPE), "uint8"))
    for wrong in (None, "many", object(), -1, 2.5, float("nan")):
        with pytest.raises((TypeError, ValueError), match="images"):
            model.adapt(wrong, frames)
        if wrong != 2.5:
            with pytest.raises(
                (TypeError, ValueError),
                match=r"^learning_rate is .*: expected a number of at least 0",
            ):
                model.adapt(frames, frames, learning_rate=wrong)
    with pytest.raises(
        ValueError, match="have 12x10 pixels: expected sides that are multiples of 4, because 2"
    ):
        talking_head_networks((12, 10, 3), stages=2)
