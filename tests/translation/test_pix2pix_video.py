"""The recursion of frames, the losses of clips in numpy, and what the discriminator sees."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import patch_discriminator, unet_generator
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


def test_a_generator_that_passes_the_pose_gives_the_poses(rng):
    poses = rng.integers(0, 256, (3, 6, 4, 4, 1), dtype="uint8")
    model = build(mixing(1.0, 0.0))
    np.testing.assert_array_equal(model.translate(poses), poses)
    np.testing.assert_array_equal(model.predict(poses, verbose=0), poses)


def test_a_generator_that_passes_the_frame_stays_black(rng):
    poses = rng.integers(0, 256, (2, 7, 4, 4, 1), dtype="uint8")
    assert not build(mixing(0.0, 1.0)).translate(poses).any()


def test_the_recursion_is_a_geometric_sum_of_the_poses(rng):
    poses = poses_of(rng)
    made = made_by(build(mixing(0.4, 0.5)), poses)
    expected = np.empty_like(poses)
    for t in range(5):
        sums = sum(0.4 * 0.5 ** (t - k) * poses[:, k] for k in range(t + 1))
        expected[:, t] = sums - 0.5 ** (t + 1)  # of the black frame before the first
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_frames_do_not_depend_on_later_poses_nor_on_how_many_there_are(rng):
    model = build()
    poses = poses_of(rng)
    first = made_by(model, poses)[:, :2]
    np.testing.assert_allclose(made_by(model, poses[:, :2]), first, atol=1e-6)


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


@pytest.mark.slow
def test_learns_what_one_pose_does_not_show():
    """Frames show the pose before: the frame made before must carry it."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 2, (256, 4, 1, 1, 1)) * 255
    poses = np.broadcast_to(levels, (256, 4, 6, 6, 1)).astype("uint8")
    frames = np.zeros((256, 4, 6, 6, 2), "uint8")
    frames[..., :1] = poses
    frames[:, 1:, ..., 1:] = poses[:, :-1]
    model = Pix2PixVideo(
        unet_generator((6, 6, 3), channels=2, filters=8, noise="none"),
        patch_discriminator((6, 6, 6), filters=4, strided_layers=1),
    )
    model.compile(g_optimizer=keras.optimizers.Adam(3e-3, 0.5))
    model.fit(poses, frames, batch_size=32, epochs=20, verbose=0)
    found = model.translate(poses[:64])
    assert np.abs(found[:, 1:].astype(int) - frames[:64, 1:]).mean() < 20


def test_builds_usual_networks():
    model = Pix2PixVideo.for_images((8, 12, 3), pose_channels=1, filters=2)
    assert model.generator.input_shape[1:] == (8, 12, 4)
    assert model.discriminator.input_shape[1:] == (8, 12, 8)
    assert model.edges["x"].shape == (None, 8, 12, 1)


def test_refused(rng):
    with pytest.raises(ValueError, match="takes 3 channels: expected 4, those of two poses"):
        build(seen=3)
    with pytest.raises(ValueError, match="expected a pose and a frame beside each other"):
        build(unet_generator((4, 4, 1), filters=2, noise="none"))
    model = build()
    with pytest.raises(ValueError, match="clips have 1 frames: expected two at least"):
        model.train_step((poses_of(rng, frames=1), poses_of(rng, frames=1)))
    with pytest.raises(
        ValueError, match="3 poses and videos of 2 frames: expected a pose for each"
    ):
        model.train_step((poses_of(rng, frames=3), poses_of(rng, frames=2)))
    with pytest.raises(ValueError, match="expected no 0"):
        model.translate(poses_of(rng, frames=0))
