"""Networks of videos, of MoCoGAN (Tulyakov, Liu, Yang, Kautz 2018)."""

import keras
from keras import layers, ops

from keras_gen.networks.blocks import batch_norm, conv, halvings
from keras_gen.networks.dcgan import dcgan_generator


def moco_gan_generator(
    video_shape: tuple = (16, 64, 64, 3),
    content_dim: int = 50,
    motion_dim: int = 10,
    filters: int = 64,
    name: str = "generator",
) -> keras.Model:
    """Builds a recurrent network of motion codes, and a DCGAN generator that draws each frame.

    Tulyakov, Liu, Yang, Kautz: "MoCoGAN: Decomposing Motion and Content for Video Generation", CVPR
    2018, sec. 3 and fig. 2: the content code is one for the whole video, and the motion codes are
    the outputs of a GRU whose state starts at a draw and whose inputs are drawn for each frame.

    Args:
        video_shape: `(frames, side, side, channels)`, at least 2 frames, the side a power of two of
            at least 8.
        content_dim: Dimensions of the content code.
        motion_dim: Dimensions of a motion code, and of each input of the GRU.
        filters: Channels before the last layer of the frames' generator.
        name: Name of the model.

    Returns:
        A model from float latents `[batch, content_dim + (frames + 1) * motion_dim]`, first the
        content, then the start of the motion and its inputs, to float32 videos in [-1, 1],
        `[batch, *video_shape]`.

    Raises:
        ValueError: If there are fewer frames, or the side is not such a power of two.

    Example:
    ```python
    generator = moco_gan_generator((16, 32, 32, 1), content_dim=16, motion_dim=4, filters=8)
    ```
    """
    frames = _frames(video_shape)
    latents = keras.Input((content_dim + (frames + 1) * motion_dim,))
    content, start = latents[:, :content_dim], latents[:, content_dim : content_dim + motion_dim]
    noise = ops.reshape(latents[:, content_dim + motion_dim :], (-1, frames, motion_dim))
    motion = _recurrent(noise, start)
    codes = layers.Concatenate()([layers.RepeatVector(frames)(content), motion])
    draw = dcgan_generator(tuple(video_shape[1:]), content_dim + motion_dim, filters, "frame")
    images = draw(ops.reshape(codes, (-1, content_dim + motion_dim)))
    return keras.Model(latents, ops.reshape(images, (-1, *video_shape)), name=name)


def video_discriminator(
    video_shape: tuple = (16, 64, 64, 3),
    filters: int = 64,
    normalization: str | None = "batch",
    name: str = "video_discriminator",
) -> keras.Model:
    """Builds convolutions over time and place, leaky ReLU of slope 0.2, and one logit.

    As DCGAN's discriminator, with kernels of 4 frames that halve the sides and shorten the time by
    3; the last one takes what is left. No normalization in the first layer.

    Args:
        video_shape: `(frames, side, side, channels)`: the side a power of two of at least 8, that
            is 4 halved so often as there are layers; more than three times as many frames.
        filters: Channels of the first layer; they double with every one.
        normalization: `"batch"` or None: penalties on the gradient of each video want the latter.
        name: Name of the model.

    Returns:
        A model from videos in [-1, 1] to float32 logits `[batch]`.

    Raises:
        ValueError: If the side is not such a power of two, the frames are too few, or
            `normalization` is something else.

    Example:
    ```python
    discriminator = video_discriminator((16, 32, 32, 1), filters=8)
    ```
    """
    if normalization not in ("batch", None):
        raise ValueError(f"normalization is {normalization!r}: expected 'batch' or None.")
    frames, stages = _frames(video_shape), halvings(video_shape[1:])
    if frames <= 3 * stages:
        raise ValueError(
            f"A video of {frames} frames is too short for {stages} layers, each of which takes 3: "
            f"use at least {3 * stages + 1} frames, or smaller images."
        )
    videos = x = keras.Input(video_shape)
    for stage in range(stages):
        x = layers.ZeroPadding3D((0, 1, 1))(x)
        options = dict(layer=layers.Conv3D, use_bias=not stage or normalization is None)
        x = conv(filters * 2**stage, 4, strides=(1, 2, 2), **options)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(batch_norm()(x) if stage and normalization else x)
    x = conv(1, x.shape[1:4], layer=layers.Conv3D, use_bias=True)(x)
    # The logits leave in float32 whatever the precision inside.
    return keras.Model(videos, layers.Reshape((), dtype="float32")(x), name=name)


def _recurrent(inputs, state):
    """The states of a GRU after each input: `[batch, times, units]`.

    Unrolled, of plain layers: that of Keras keeps a seed for a dropout it does not have, which
    neither resumes nor differs between replicas.
    """
    units, states = state.shape[-1], []
    given = layers.Dense(3 * units, name="inputs")(inputs)
    recurrent = layers.Dense(3 * units, kernel_initializer="orthogonal", name="recurrent")
    for time in range(inputs.shape[1]):
        told, kept = (ops.split(x, 3, axis=-1) for x in (given[:, time], recurrent(state)))
        update, reset = (ops.sigmoid(told[gate] + kept[gate]) for gate in (0, 1))
        state = update * state + (1 - update) * ops.tanh(told[2] + reset * kept[2])
        states.append(state)
    return ops.stack(states, axis=1)


def _frames(video_shape) -> int:
    """The number of frames.

    Raises:
        ValueError: If it is below 2.
    """
    if len(video_shape) != 4 or video_shape[0] < 2:
        raise ValueError(
            f"A video has the shape {tuple(video_shape)}: expected (frames, side, side, channels) "
            "with at least 2 frames; one frame is an image, for which there is dcgan_generator."
        )
    return video_shape[0]
