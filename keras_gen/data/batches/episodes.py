"""Few-shot learning episodes: some examples of a class, and another one to predict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types


@checked_types
def episode(shots: int) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that draws an episode from all frames of a person.

    Args:
        shots: Number of frames shown to the model, in addition to the one to predict: at least 1,
            and fewer than the number of frames per person.

    Returns:
        A function of an example `(images, landmarks, label)`, with `[frames, height, width,
        channels]` for both of the first two and the person's number, and a seed. It returns the
        training inputs of `TalkingHeads`: the landmarks and the image of one frame, the images and
        landmarks of the shots, and the label.

    Example:
        >>> faces = drawn_faces(people=8, frames=6)
        >>> people = Source((faces.images, faces.landmarks, np.arange(8)))
        >>> batches = people.stream(4, augment=episode(shots=5))
    """
    checked_integer("shots", shots, minimum=1)

    def draw(example, seed):
        images, landmarks, label = example
        frames = images.shape[0]
        if shots >= frames:
            raise ValueError(
                f"shots is {shots}: expected fewer than the {frames} frames per person."
            )
        order = tf.argsort(tf.random.stateless_uniform([frames], seed))
        drawn = order[0]
        others = order[1 : shots + 1]
        return (
            landmarks[drawn],
            images[drawn],
            tf.gather(images, others),
            tf.gather(landmarks, others),
            label,
        )

    return draw
