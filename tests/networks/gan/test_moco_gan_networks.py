"""Networks of videos: what content and motion reach, and what the discriminator sees."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import moco_gan_generator, video_discriminator

SHAPE, CONTENT, MOTION = (6, 8, 8, 1), 3, 2
LATENTS = CONTENT + 7 * MOTION


@pytest.fixture(scope="module")
def generator():
    return moco_gan_generator(SHAPE, CONTENT, MOTION, filters=4)


@pytest.mark.thorough
def test_motion_is_causal_and_content_everywhere(generator, rng):
    latents = rng.normal(size=(1, LATENTS)).astype("float32")
    video = generator(latents).numpy()
    assert video.shape == (1, *SHAPE) and np.abs(video).max() <= 1

    def changed(place):
        other = latents.copy()
        other[:, place] += 1
        difference = generator(other).numpy() != video
        return difference[0].any(axis=(1, 2, 3)).tolist()

    assert changed(0) == [True] * 6 and changed(CONTENT) == [True] * 6
    for frame in range(6):  # whose input starts to count there
        place = CONTENT + MOTION * (1 + frame)
        assert changed(place) == [time >= frame for time in range(6)]


def test_motion_is_that_of_a_gru(generator, rng):
    latents = rng.normal(size=(2, LATENTS)).astype("float32")
    inside = [generator.get_layer(name).get_weights() for name in ("inputs", "recurrent")]
    inside = [[w, rng.normal(size=b.shape)] for w, b in inside]  # biases start at 0
    for name, weights in zip(("inputs", "recurrent"), inside, strict=True):
        generator.get_layer(name).set_weights(weights)
    (kernel, bias), (recurrent, recurrent_bias) = inside
    gru = keras.layers.GRU(MOTION, return_sequences=True)
    gru.build((2, 6, MOTION))
    gru.set_weights([kernel, recurrent, np.stack([bias, recurrent_bias])])
    start, noise = latents[:, CONTENT : CONTENT + MOTION], latents[:, CONTENT + MOTION :]
    states = gru(noise.reshape(2, 6, MOTION), initial_state=start).numpy()
    draw = generator.get_layer("frame")
    frames = [draw(np.concatenate([latents[:, :CONTENT], states[:, t]], 1)) for t in range(6)]
    np.testing.assert_allclose(generator(latents), np.stack(frames, axis=1), atol=1e-4)


def test_the_discriminator_sees_all_frames(rng):
    network = video_discriminator((7, 16, 16, 1), filters=3, normalization=None)
    videos = tf.constant(rng.normal(size=(2, 7, 16, 16, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(videos)
        logits = network(videos)
    assert logits.shape == (2,)
    assert np.abs(tape.gradient(logits, videos)).max(axis=(2, 3, 4)).min() > 0
    kinds = [type(layer).__name__ for layer in video_discriminator((7, 16, 16, 1), 3).layers]
    assert kinds.count("BatchNormalization") == 1 and kinds.count("Conv3D") == 3


def test_bad_shapes_are_refused():
    for build in (moco_gan_generator, video_discriminator):
        with pytest.raises(ValueError, match="at least 2 frames; one frame is an image"):
            build((1, 16, 16, 1))
        with pytest.raises(ValueError, match=r"expected \(frames, height, width, channels\)"):
            build((16, 16, 1))
    with pytest.raises(ValueError, match=r"^A video of 6 frames is too short for 2 layers"):
        video_discriminator((6, 16, 16, 1))
    with pytest.raises(ValueError, match=r"^normalization is 'layer': expected 'batch' or None"):
        video_discriminator((7, 16, 16, 1), normalization="layer")
