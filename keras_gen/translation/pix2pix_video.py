"""Recursive pose-to-video translation (Chan, Ginosar, Zhou, Efros 2019)."""

from functools import partial

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import Player, capability, require_range
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.schedules import Weight
from keras_gen.declared import network
from keras_gen.losses.per_example import l1
from keras_gen.networks import patch_discriminator, unet_generator
from keras_gen.translation.predictor import AdversarialPredictor


@keras.saving.register_keras_serializable("keras_gen")
class Pix2PixVideo(AdversarialPredictor):
    """Translation of pose videos into videos of a person; each frame depends on the previous frame.

    Chan, Ginosar, Zhou, Efros: "Everybody Dance Now", ICCV 2019. The generator receives the image
    of a pose x_t and its own previous frame, and generates the frame G(x_t). For the first frame,
    the previous frame is black. The discriminator sees two consecutive frames together with their
    two poses, so the discriminator also judges motion; the paper calls this method temporal
    smoothing.

    Training uses clips of two frames, as in the paper, or longer clips. With longer clips,
    gradients pass through all frames, and all pairs of consecutive frames are judged. Effects that
    last longer than two frames, such as the motion of hair, require longer clips.

    Deviations: the L1 distance of pix2pix replaces the distances between the discriminator's
    feature maps and between VGG features. There is a single discriminator, at one scale, and no
    second GAN for the face. Poses are given as images, and are not adapted to another person's
    proportions. G is updated before the discriminator, which saves one pass.

    Args:
        generator: Network G, which maps a pose and a frame, floats in [-1, 1] concatenated along
            the channels, to the next frame in the same range.
        discriminator: Network D, which maps two poses and their two frames, concatenated along the
            channels in this order, to logits of any shape.
        objective: Adversarial objective, a name or an object.
        l1_weight: Weight of the L1 distance, as in `Pix2Pix`.
        seed: Seed for all randomness in training steps.

    Raises:
        ValueError: If the networks do not match, or if `l1_weight` is negative.

    Example:
    ```python
    model = Pix2PixVideo.for_images((32, 32, 3), filters=4)
    model.compile()
    poses = frames = np.zeros((4, 2, 32, 32, 3), "uint8")  # four clips of two frames
    model.fit(poses, frames, batch_size=2)
    videos = model.translate(np.zeros((1, 16, 32, 32, 3), "uint8"))
    ```
    """

    batch = ("x", "y")
    predicts = "translate"

    generator: keras.Model = network("pose_and_frame -> frame", kw_only=True)
    discriminator: keras.Model = network("poses_and_frames -> logits", later=True)
    l1_weight: Weight = 100.0

    @override
    def prepare_batch(self, data):
        """Names the poses and the frames, and checks that there are equally many of each."""
        batch = super().prepare_batch(data)
        poses = batch["x"].shape[1]
        frames = batch["y"].shape[1]
        if poses != frames:
            raise ValueError(
                f"The clips have {poses} poses, but the videos have {frames} frames: expected "
                "one pose per frame."
            )
        return batch

    @override
    def train_step(self, data):
        """Updates G, and then updates D on the frames that G returned before its update."""
        batch = self.prepare_batch(data)
        x = batch["x"]
        y = batch["y"]

        def generator_loss():
            fake = self._frames(x)
            # The paper's L_smooth: E log D(x_{t-1}, x_t, y_{t-1}, y_t)
            #     + E log(1 - D(x_{t-1}, x_t, G(x_{t-1}), G(x_t))).
            terms = {
                "adversarial": self.objective.generator(self.judged(x, fake)),
                "l1": l1(fake, y),  # mean over all frames
            }
            return self.weighted(terms), terms, fake

        g_loss, terms, fake = self.minimize(generator_loss, "g_optimizer")

        def discriminator_loss():
            # Halved, as in pix2pix, to slow D down relative to G.
            return 0.5 * self.objective.discriminator(self.judged(x, y), self.judged(x, fake))

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    def _frames(self, poses):
        """Returns the frames of clips: G(x_{t-1}) after a black frame, and then each next frame."""
        count = poses.shape[1]
        if count is None or count < 2:
            raise ValueError(
                f"The number of frames per clip is {count or 'unknown'}: expected at least two "
                "frames, and the same number in all clips."
            )
        frame = self._black(poses)
        frames = []
        for t in range(count):
            frame = self([poses[:, t], frame], training=self.training)
            frames.append(frame)
        return tf.stack(frames, axis=1)

    def judged(self, poses, frames):
        """Returns D's logits for consecutive frames and poses, `[batch, frames - 1, ...]`."""
        frames = tf.cast(frames, tf.float32)
        pairs = tf.concat([poses[:, :-1], poses[:, 1:], frames[:, :-1], frames[:, 1:]], axis=-1)
        flat = tf.reshape(pairs, [-1, *pairs.shape[2:]])
        logits = self.discriminator(flat, training=self.training)
        return tf.reshape(logits, [tf.shape(pairs)[0], pairs.shape[1], *logits.shape[1:]])

    @override
    def predictors(self):
        return Player([self.generator], partial(keras.optimizers.Adam, 2e-4, beta_1=0.5))

    @override
    def loss_weights(self):
        return {"adversarial": 1.0, "l1": self.l1_weight}

    # Use -------------------------------------------------------------------------------------

    @capability
    def translate(self, x):
        """Generates frames sequentially, `[n, frames, height, width, channels]`."""
        count = tf.shape(x)[1]

        def body(t, frame, frames):
            # Use `tf.gather`, because OpenVINO slices incorrectly if the index is a loop variable.
            frame = self([tf.gather(x, t, axis=1), frame], training=False)
            frame = tf.ensure_shape(frame, [None, *self.frame_shape])
            return t + 1, frame, frames.write(t, frame)

        frames = tf.TensorArray(tf.float32, count, element_shape=[None, *self.frame_shape])
        start = (tf.constant(0), self._black(x), frames)
        *_, frames = tf.while_loop(lambda t, *_: t < count, body, start)
        return {"y": tf.transpose(frames.stack(), [1, 0, 2, 3, 4])}

    def _black(self, poses):
        """Returns the black frame before the first frame."""
        return -tf.ones([tf.shape(poses)[0], *self.frame_shape])

    @override
    def call(self, inputs, training=False):
        """Generates the next frame from a pose and the previous frame."""
        pose, frame = inputs
        frame = tf.cast(frame, tf.float32)
        made = self.generator(tf.concat([pose, frame], axis=-1), training=training)
        return tf.cast(made, tf.float32)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        *sides, channels = self.frame_shape = tuple(self.generator.output_shape[1:])
        *taken_sides, taken = self.generator.input_shape[1:]
        if None in self.frame_shape or taken_sides != sides or taken <= channels:
            raise ValueError(
                f"The generator accepts {self.generator.input_shape[1:]} and returns "
                f"{self.frame_shape}: expected a pose and a frame concatenated along the "
                "channels, and an output frame of the same, known size."
            )
        require_range(Images(self.frame_shape).span, "frames", self.generator)
        seen = self.discriminator.input_shape[-1]
        if seen != 2 * taken:
            raise ValueError(
                f"The discriminator accepts {seen} channels: expected {2 * taken} for two poses "
                "and two frames."
            )
        self.edges["x"] = Images((None, *sides, taken - channels), name="poses")
        self.edges["y"] = Images((None, *self.frame_shape), name="videos")

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, pose_channels: int | None = None, filters: int = 64, **kwargs
    ):
        """Builds the model with the networks of pix2pix, without their dropout.

        Args:
            shape: `(height, width, channels)` of a frame, with even sides of at least 6 pixels.
            pose_channels: Number of channels of pose images. If None, the number of channels of a
                frame is used.
            filters: Number of channels in the first layers.
            **kwargs: Additional arguments for the class.
        """
        height, width, channels = shape
        pose_channels = channels if pose_channels is None else pose_channels
        both = pose_channels + channels
        generator = unet_generator((height, width, both), channels, filters, noise="none")
        discriminator = patch_discriminator((height, width, 2 * both), filters)
        return cls(generator, discriminator, **kwargs)
