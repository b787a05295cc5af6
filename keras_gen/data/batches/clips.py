"""Video clips: consecutive frames with a random start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types


@checked_types
def clips(frames: int) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that cuts a clip out of each video.

    Args:
        frames: Number of frames per clip, from 1 to the length of the videos.

    Returns:
        A function of an example and a seed. The example is a video `[all_frames, ...]`, or several
        corresponding videos, such as poses and the images that show them: all are cut at the same
        frame.

    Example:
        >>> dancers = drawn_dancers(videos=4, frames=8, size=16)
        >>> videos = Source((dancers.poses, dancers.images))
        >>> batches = videos.stream(4, augment=clips(2))
    """
    checked_integer("frames", frames, minimum=1)

    def cut(example, seed):
        count = tf.nest.flatten(example)[0].shape[0]
        if frames > count:
            raise ValueError(
                f"frames is {frames}: expected at most {count}, the length of a video."
            )
        first = tf.random.stateless_uniform([], seed, 0, count - frames + 1, tf.int32)

        def clip(video):
            return tf.ensure_shape(video[first : first + frames], [frames, *video.shape[1:]])

        return tf.nest.map_structure(clip, example)

    return cut
