"""MoCoGAN: the loss of two discriminators, the frames that are drawn, and recombined latents."""

import math

import keras
import numpy as np
import pytest

from keras_gen.files.animations import video_grid, video_strips
from keras_gen.files.images import enlarged_grid, grid
from keras_gen.gan import MoCoGAN
from keras_gen.losses import R1
from shared import losses_of, softplus, step_noise, with_sgd

SHAPE, LATENTS = (5, 2, 2, 1), 6  # of which 2 are the content


def player(shape, out):
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(math.prod(out))]
    return keras.Sequential([*layers, keras.layers.Reshape(out)])


@pytest.fixture
def model():
    keras.utils.set_random_seed(2)
    built = MoCoGAN(
        player((LATENTS,), SHAPE), player(SHAPE, (1,)), player(SHAPE[1:], (1,)), content_dim=2
    )
    return with_sgd(built, 0.1, 0.0)


def test_the_loss_is_of_videos_and_of_a_frame_of_each(model, rng):
    videos = rng.uniform(-1, 1, (40, *SHAPE)).astype("float32")
    fakes = model.generator(step_noise(model, "discriminator 0", [40, LATENTS])).numpy()
    places = (5 * step_noise(model, "frames", [40], draw="uniform")).astype(int)
    assert set(places) == set(range(5))
    losses = []
    for critic, real, fake in (
        (model.discriminator, videos, fakes),
        (model.image_discriminator, *(v[np.arange(40), places] for v in (videos, fakes))),
    ):
        losses.append(softplus(-critic(real).numpy()) + softplus(critic(fake).numpy()))
    expected = np.mean(losses)
    assert abs(np.mean(losses[0]) - np.mean(losses[1])) > 0.01
    before = [model.discriminator.get_weights()[0], model.image_discriminator.get_weights()[0]]
    assert losses_of(model, videos, training=True)["d_loss"] == pytest.approx(expected, rel=1e-4)
    after = [model.discriminator.get_weights()[0], model.image_discriminator.get_weights()[0]]
    assert all((a != b).any() for a, b in zip(before, after, strict=True))


def test_recombines_content_and_motion(model, rng):
    contents, motions = rng.normal(size=(2, 3, LATENTS)).astype("float32")
    mixed = np.concatenate([contents[:, :2], motions[:, 2:]], axis=1)
    found = model.recombine(contents, motions)
    np.testing.assert_array_equal(found, model.generate(mixed))
    assert found.shape == (3, *SHAPE) and (found != model.generate(contents)).any()


def test_latents_that_cannot_be_recombined(model):
    latents = np.zeros((2, LATENTS))
    for wrong in (None, "many", -1, latents[0], latents[:, 1:], latents * np.nan):
        with pytest.raises((TypeError, ValueError), match=r"^Latents|^latents"):
            model.recombine(latents, wrong)
    with pytest.raises(ValueError, match="2 contents and 1 motions: expected one motion per"):
        model.recombine(latents, latents[:1])


def test_penalties_want_discriminators_without_batch_normalization():
    sizes = dict(content_dim=2, motion_dim=2, filters=2, penalty="r1")
    model = MoCoGAN.for_videos((7, 16, 16, 1), **sizes, normalization=None)
    networks = model.players()["d_optimizer"].networks
    weights = [w for network in networks for w in network.weights]
    assert weights and not any("normalization" in weight.path for weight in weights)


def test_images_and_frames_of_videos(rng):
    videos = rng.integers(0, 256, (3, 9, 4, 4, 1), "uint8")
    frames = video_grid(videos, columns=2)
    assert len(frames) == 9
    np.testing.assert_array_equal(frames[4], grid(videos[:, 4], 2))
    np.testing.assert_array_equal(
        video_strips(videos, frames=3), enlarged_grid(videos[:, [0, 4, 8]].reshape(-1, 4, 4, 1), 3)
    )
    every = enlarged_grid(videos.reshape(-1, 4, 4, 1), 9)
    assert video_strips(videos, frames=20).shape == every.shape
    with pytest.raises(ValueError, match=r"expected uint8 \[N, H, W, channels\]"):
        video_grid(videos[0])


def test_a_penalty_is_of_each_critic_by_itself(rng):
    """Slopes of opposite signs cancel in the mean of both critics, and cost what they cost here."""
    keras.utils.set_random_seed(2)
    critics = player(SHAPE, (1,)), player(SHAPE[1:], (1,))
    for critic, slope in zip(critics, (3.0, -20.0), strict=True):
        critic.set_weights([np.full_like(w, slope) for w in critic.get_weights()])
    model = MoCoGAN(player((LATENTS,), SHAPE), *critics, content_dim=2, penalty=R1(2.0))
    videos = rng.uniform(-1, 1, (4, *SHAPE)).astype("float32")
    of_videos, of_frames = np.prod(SHAPE) * 3.0**2, np.prod(SHAPE[1:]) * 20.0**2
    with_penalty = losses_of(with_sgd(model, 0.0, 0.0), videos)["d_loss"]
    model.penalty = None
    without = losses_of(with_sgd(model, 0.0, 0.0), videos)["d_loss"]
    assert with_penalty - without == pytest.approx((of_videos + of_frames) / 2, rel=1e-4)
