"""The recursion of frames, the losses of clips in numpy, and what the discriminator sees."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import unet_generator
from keras_gen.translation import Pix2PixVideo
from shared import losses_of, softplus


def mixing(pose_part, frame_part, side=4):
    """A generator of one channel that adds a part of the pose and a part of the frame before."""
    both = keras.Input((side, side, 2))
    layer = keras.layers.Conv2D(1, 1, use_bias=False)
    network = keras.Model(both, layer(both))
    layer.set_weights([np.reshape([pose_part, frame_part], [1, 1, 2, 1])])
    return network


def build(generator=None, seen=4, side=4, **options):
    generator = generator or mixing(0.4, 0.5, side)
    pairs = keras.Input((side, side, seen))
    discriminator = keras.Model(
        pairs, keras.layers.Conv2D(1, 2, kernel_initializer="normal")(pairs)
    )
    model = Pix2PixVideo(generator, discriminator, **options)
    model.compile(run_eagerly=True)
    return model


def made_by(model, poses):
    """What it makes as floats; `translate` rounds to levels."""
    return Pix2PixVideo.translate.function(model, x=tf.constant(poses))["y"].numpy()


def poses_of(rng, n=3, frames=5):
    return rng.uniform(-1, 1, (n, frames, 4, 4, 1)).astype("float32")


def test_the_recursion_is_a_geometric_sum_of_the_poses(rng):
    poses = poses_of(rng)
    made = made_by(build(mixing(0.4, 0.5)), poses)
    expected = np.empty_like(poses)
    for t in range(5):
        sums = sum(0.4 * 0.5 ** (t - k) * poses[:, k] for k in range(t + 1))
        expected[:, t] = sums - 0.5 ** (t + 1)  # of the black frame before the first
    np.testing.assert_allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize("frames", [2, 4])
def test_the_losses_of_a_clip_in_numpy(rng, frames):
    model = build(l1_weight=20.0)
    poses = poses_of(rng, frames=frames)
    truth = poses_of(rng, frames=frames)
    fake = made_by(model, poses)

    def logits(videos):
        pairs = [
            [poses[:, t], poses[:, t + 1], videos[:, t], videos[:, t + 1]]
            for t in range(frames - 1)
        ]
        return np.stack([model.discriminator(np.concatenate(pair, -1)) for pair in pairs], 1)

    np.testing.assert_allclose(model.judged(poses, fake), logits(fake), rtol=1e-4, atol=1e-6)
    losses = losses_of(model, poses, truth)
    l1 = np.abs(fake - truth).mean()
    adversarial = softplus(-logits(fake)).mean()
    d_loss = 0.5 * (softplus(-logits(truth)) + softplus(logits(fake))).mean()
    expected = {
        "l1_loss": l1,
        "adversarial_loss": adversarial,
        "g_loss": adversarial + 20 * l1,
        "d_loss": d_loss,
    }
    assert losses == pytest.approx(expected, rel=1e-4)


def test_the_gradient_goes_back_through_the_frame_before(rng):
    """The second frame depends on the first pose by way of the first frame."""
    model = build(mixing(0.4, 0.5))
    poses = tf.constant(poses_of(rng, n=1, frames=2))
    with tf.GradientTape() as tape:
        tape.watch(poses)
        second = tf.reduce_sum(model._frames(poses)[:, 1])
    gradient = tape.gradient(second, poses)
    np.testing.assert_allclose(gradient[0, 0], np.full([4, 4, 1], 0.5 * 0.4), rtol=1e-5)


def test_builds_usual_networks():
    model = Pix2PixVideo.for_images((8, 12, 3), pose_channels=1, filters=2)
    assert model.generator.input_shape[1:] == (8, 12, 4)
    assert model.discriminator.input_shape[1:] == (8, 12, 8)
    assert model.edges["x"].shape == (None, 8, 12, 1)


def test_refused(rng):
    with pytest.raises(ValueError, match="accepts 3 channels: expected 4 for two poses"):
        build(seen=3)
    with pytest.raises(ValueError, match="expected a pose and a frame concatenated"):
        build(unet_generator((4, 4, 1), filters=2, noise="none"))
    model = build()
    with pytest.raises(ValueError, match="number of frames per clip is 1: expected at least two"):
        model.train_step((poses_of(rng, frames=1), poses_of(rng, frames=1)))
    with pytest.raises(
        ValueError, match="3 poses, but the videos have 2 frames: expected one pose per"
    ):
        model.train_step((poses_of(rng, frames=3), poses_of(rng, frames=2)))
    with pytest.raises(ValueError, match="expected sizes of at least 1"):
        model.translate(poses_of(rng, frames=0))
