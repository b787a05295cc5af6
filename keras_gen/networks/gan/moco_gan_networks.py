"""Video networks of MoCoGAN (Tulyakov, Liu, Yang, Kautz 2018)."""

from functools import partial

import keras
from keras import layers, ops

from keras_gen.checked_arguments import FRAMES, checked_arguments
from keras_gen.networks.blocks import batch_norm, conv, halvings
from keras_gen.networks.gan.dcgan import dcgan_generator


@checked_arguments(axes=FRAMES)
def moco_gan_generator(
    video_shape: tuple = (16, 64, 64, 3),
    content_dim: int = 50,
    motion_dim: int = 10,
    filters: int = 64,
) -> keras.Model:
    """Builds a recurrent network for motion codes and a DCGAN generator for the frames.

    Tulyakov, Liu, Yang, Kautz: "MoCoGAN: Decomposing Motion and Content for Video Generation", CVPR
    2018, sec. 3 and fig. 2. A video has one content code. Its motion codes are the outputs of a
    GRU, whose initial state and inputs are noise.

    Args:
        video_shape: `(frames, height, width, channels)`, with at least 2 frames and sides of at
            least 8 pixels.
        content_dim: Number of dimensions of the content code.
        motion_dim: Number of dimensions of a motion code, and of each input to the GRU.
        filters: Number of channels before the last layer of the frame generator.

    Returns:
        A model that maps float latents `[batch, content_dim + (frames + 1) * motion_dim]` to
        float32 `[batch, *video_shape]` in [-1, 1]. The latents are the content code, the initial
        state of the GRU, and the inputs of the GRU, in this order.

    Example:
        >>> generator = moco_gan_generator((16, 32, 32, 1), content_dim=16, motion_dim=4, filters=8)
    """
    frames = _frames(video_shape)
    latents = keras.Input((content_dim + (frames + 1) * motion_dim,))
    content = latents[:, :content_dim]
    start = latents[:, content_dim : content_dim + motion_dim]
    noise = ops.reshape(latents[:, content_dim + motion_dim :], (-1, frames, motion_dim))
    motion = _recurrent(noise, start)
    codes = layers.Concatenate()([layers.RepeatVector(frames)(content), motion])
    draw = dcgan_generator(tuple(video_shape[1:]), content_dim + motion_dim, filters, "frame")
    images = draw(ops.reshape(codes, (-1, content_dim + motion_dim)))
    return keras.Model(latents, ops.reshape(images, (-1, *video_shape)), name="generator")


@checked_arguments(axes=FRAMES)
def video_discriminator(
    video_shape: tuple = (16, 64, 64, 3),
    filters: int = 64,
    normalization: str | None = "batch",
) -> keras.Model:
    """Builds a discriminator that maps a video to one logit.

    The network is DCGAN's discriminator with convolutions over time and space, kernels of 4 frames,
    and leaky ReLU (slope 0.2). Each layer halves the sides and shortens the video by 3 frames; the
    last layer covers the remaining frames and positions.

    Args:
        video_shape: `(frames, height, width, channels)`, with sides of at least 8 pixels and at
            least 3 n + 1 frames, where n is the number of layers that halve the sides until the
            shorter side has 4 to 7 pixels.
        filters: Number of channels in the first layer; each further layer doubles this number.
        normalization: `"batch"` for batch normalization in all layers except the first, or None.
            Use None with penalties on the gradient of each video.

    Returns:
        A model that maps videos in [-1, 1] to float32 logits `[batch]`.

    Example:
        >>> discriminator = video_discriminator((16, 32, 32, 1), filters=8)
    """
    if normalization not in ("batch", None):
        raise ValueError(f"normalization is {normalization!r}: expected 'batch' or None.")
    frames = _frames(video_shape)
    stages = halvings(video_shape[1:])
    if frames <= 3 * stages:
        raise ValueError(
            f"A video of {frames} frames is too short for {stages} layers, each of which "
            f"shortens a video by 3 frames: use at least {3 * stages + 1} frames, or smaller "
            "images."
        )
    videos = keras.Input(video_shape)
    x = videos
    conv3d = partial(conv, layer=layers.Conv3D)
    for stage in range(stages):
        normalized = stage > 0 and normalization is not None
        x = layers.ZeroPadding3D((0, 1, 1))(x)
        x = conv3d(filters * 2**stage, 4, strides=(1, 2, 2), use_bias=not normalized)(x)
        if normalized:
            x = batch_norm()(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = conv3d(1, x.shape[1:4], use_bias=True)(x)
    # The logits are float32, regardless of the internal precision.
    logits = layers.Reshape((), dtype="float32")(x)
    return keras.Model(videos, logits, name="video_discriminator")


def _recurrent(inputs, state):
    """Returns the states of a GRU after each input, `[batch, times, units]`."""
    # The GRU is unrolled and built from plain layers. The Keras GRU has a dropout seed even
    # without dropout, and this seed is neither resumed nor different on each replica.
    units = state.shape[-1]
    from_inputs = layers.Dense(3 * units, name="inputs")(inputs)
    recurrent = layers.Dense(3 * units, kernel_initializer="orthogonal", name="recurrent")
    states = []
    for time in range(inputs.shape[1]):
        x = ops.split(from_inputs[:, time], 3, axis=-1)
        h = ops.split(recurrent(state), 3, axis=-1)
        update = ops.sigmoid(x[0] + h[0])
        reset = ops.sigmoid(x[1] + h[1])
        state = update * state + (1 - update) * ops.tanh(x[2] + reset * h[2])
        states.append(state)
    return ops.stack(states, axis=1)


def _frames(video_shape) -> int:
    if len(video_shape) != 4 or video_shape[0] < 2:
        raise ValueError(
            f"A video has shape {tuple(video_shape)}: expected (frames, height, width, "
            "channels) with at least 2 frames. For images, use dcgan_generator."
        )
    return video_shape[0]
