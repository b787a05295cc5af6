"""MoCoGAN (Tulyakov, Liu, Yang, Kautz 2018)."""

from typing import NoReturn

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import FRAMES, checked_arguments
from keras_gen.core import Player, for_users
from keras_gen.declared import Count, argument, network
from keras_gen.gan.gan import GAN
from keras_gen.losses.per_example import per_example_mean
from keras_gen.networks import dcgan_discriminator, moco_gan_generator, video_discriminator


@keras.saving.register_keras_serializable("keras_gen")
class MoCoGAN(GAN):
    """A video GAN whose latents separate content and motion.

    Tulyakov, Liu, Yang, Kautz: "MoCoGAN: Decomposing Motion and Content for Video Generation", CVPR
    2018. One discriminator sees whole videos, and a second discriminator sees a random frame from
    each video; the total loss is the sum of the two discriminators' losses (sec. 3). The first
    `content_dim` of the latents passed to `generate` represent the content; `recombine` combines
    the content of one video with the motion of another.

    Deviations: losses are averaged over both discriminators; with Adam, the average is equivalent
    to the sum. Both discriminators see the same videos, whereas the paper takes the frames from
    other videos.

    Args:
        generator: Network that maps float latents `[batch, latents]` to videos
            `[batch, frames, height, width, channels]` in [-1, 1], such as
            `keras_gen.networks.moco_gan_generator`.
        discriminator: Network that maps videos to logits `[batch, ...]`.
        image_discriminator: Network that maps frames to logits `[batch, ...]`.
        content_dim: Number of content latents, which precede the motion latents.
        objective: Adversarial objective, a name or an object.
        penalty: See `GAN`.
        discriminator_steps: See `GAN`.
        seed: Seed for the latents and the choice of frames.

    Raises:
        ValueError: If the two discriminators accept frames of different shapes, or if `content_dim`
            leaves no latents for the content or for the motion; see also `GAN`.

    Example:
    ```python
    model = MoCoGAN.for_videos((8, 16, 16, 1), content_dim=4, motion_dim=2, filters=4)
    model.compile()
    model.fit(np.zeros((4, 8, 16, 16, 1), "uint8"), batch_size=2)
    videos = model.sample(3, seed=1)
    ```
    """

    critics = 2  # one for videos and one for frames
    has_dense_networks = False

    image_discriminator: keras.Model = network("frame -> logits", kw_only=True)
    content_dim: Count = argument(kw_only=True)

    @override
    def discriminate(self, images, batch, keep_state=False, network=None):
        """Returns one logit for each video and one for a random frame of it, `[batch, 2]`."""
        of_videos = super().discriminate(images, batch, keep_state)
        count = keras.ops.shape(images)[0]
        frame = images.shape[1] * self.uniform("frames", [count])
        frames = tf.gather(images, tf.cast(frame, tf.int32), axis=1, batch_dims=1)
        of_frames = super().discriminate(frames, batch, keep_state, self.image_discriminator)
        of_videos = per_example_mean(tf.cast(of_videos, tf.float32))
        of_frames = per_example_mean(tf.cast(of_frames, tf.float32))
        return tf.stack([of_videos, of_frames], axis=1)

    @for_users
    def recombine(self, contents, motions):
        """Generates uint8 videos from the content of one set of latents and the motion of another.

        Args:
            contents: Latents `[n, latents]` whose content is used.
            motions: Latents `[n, latents]` whose motion is used.

        Raises:
            TypeError: If an argument is not an array of numbers.
            ValueError: If an argument has a different shape.
        """
        content, motion = (self.edges["latents"].prepare(z).numpy() for z in (contents, motions))
        if len(content) != len(motion):
            raise ValueError(
                f"recombine got {len(content)} contents and {len(motion)} motions: expected one "
                "motion per content."
            )
        parts = [content[:, : self.content_dim], motion[:, self.content_dim :]]
        return self.generate(np.concatenate(parts, axis=1))

    @override
    def players(self):
        discriminators = [self.discriminator, self.image_discriminator]
        return super().players() | {
            "d_optimizer": Player(discriminators, self.default_optimizer)
        }

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        video = self.discriminator.input_shape[1:]
        frame = self.image_discriminator.input_shape[1:]
        if len(video) != 4 or video[1:] != frame or self.content_dim >= self.latent_dim:
            raise ValueError(
                f"The discriminators accept {video} and {frame}, and {self.content_dim} of "
                f"{self.latent_dim} latents are content latents: expected the shapes (frames, "
                "height, width, channels) and (height, width, channels), and at least one "
                "motion latent."
            )
        if self.penalty is not None:
            self.penalty.check(self.image_discriminator)

    @override
    @classmethod
    def for_images(cls, *args, **kwargs) -> NoReturn:
        """Raises a TypeError that suggests `for_videos`."""
        raise TypeError("MoCoGAN is for videos: use MoCoGAN.for_videos.")

    @classmethod
    @checked_arguments(axes=FRAMES)
    def for_videos(
        cls, shape: tuple, content_dim: int = 50, motion_dim: int = 10, filters: int = 32,
        normalization: str | None = "batch", **kwargs,
    ):  # fmt: skip
        """Builds the model with the standard networks.

        Args:
            shape: `(frames, height, width, channels)`; see `video_discriminator`.
            content_dim: Number of content latents.
            motion_dim: Number of motion latents per frame.
            filters: Number of channels at full resolution.
            normalization: Normalization in both discriminators: `"batch"`, or None if a penalty is
                used.
            **kwargs: Additional arguments for the class.
        """
        generator = moco_gan_generator(shape, content_dim, motion_dim, filters)
        of_videos = video_discriminator(shape, filters, normalization)
        of_frames = dcgan_discriminator(shape[1:], filters, normalization)
        return cls(generator, of_videos, of_frames, content_dim, **kwargs)
