"""Batches of unpaired sets, triples, episodes, and video clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen.checked_arguments import checked_array, checked_types
from keras_gen.data.source import LEFT, RIGHT, Source, checked_pairs, derive_seed
from keras_gen.declared import PositiveInteger


@checked_types
def unpaired(
    a: Source | np.ndarray,
    b: Source | np.ndarray,
    batch_size: int | tuple[int, int],
    seed: int = 0,
    start: int = 0,
    augment: Callable[[Any, Any], Any] | None = None,
) -> tf.data.Dataset:
    """Returns an infinite stream of `(a_batch, b_batch)`, with each domain shuffled separately.

    Args:
        a: First domain: a source, or an array of examples.
        b: Second domain: a source, or an array of examples. The two domains may differ in size.
        batch_size: Number of examples from each domain in a *global* batch, or one number per
            domain.
        seed: Nonnegative integer, from which independent seeds for the two domains are derived.
        start: Number of batches already consumed; see `Source.stream`.
        augment: Function `augment(example, seed)` applied to each example of either domain.

    Example:
        >>> photos, paintings = np.zeros([9, 8, 8, 3], "uint8"), np.zeros([5, 8, 8, 3], "uint8")
        >>> x, y = next(iter(unpaired(photos, paintings, batch_size=2)))
    """
    sizes = batch_size if isinstance(batch_size, tuple) else (batch_size, batch_size)
    streams = []
    for name, domain, size, key in (("a", a, sizes[0], LEFT), ("b", b, sizes[1], RIGHT)):
        source = domain if isinstance(domain, Source) else Source(_examples(name, domain))
        own_seed = int(derive_seed(seed, key, words=1)[0])
        streams.append(source.shuffled(size, own_seed, start, augment))
    return tf.data.Dataset.zip(tuple(streams)).with_options(streams[0].options())


def _examples(name: str, values: np.ndarray) -> np.ndarray:
    examples = checked_array(name, values)
    if not examples.ndim or not len(examples):
        raise ValueError(f"{name} has shape {examples.shape}: expected at least one example.")
    return examples


@checked_types
def class_triples(
    source: Source, batch_size: int, seed: int = 0, start: int = 0
) -> tf.data.Dataset:
    """Returns an infinite stream of shuffled batches `(x, labels, same, other, other_labels)`.

    `same` is sampled uniformly from the other examples in the class of `x`, and `other` from all
    examples in other classes.

    Args:
        source: Examples `(x, label)` from at least two classes, with at least two examples per
            class. A source with another structure raises a TypeError; a source with too few classes
            or examples raises a ValueError.
        batch_size: Number of examples per *global* batch.
        seed: Nonnegative integer.
        start: Number of batches already consumed; see `Source.stream`.

    Example:
        >>> source = Source((np.zeros([8, 28, 28, 1], "uint8"), np.arange(8) % 2))
        >>> x, labels, same, other, other_labels = next(iter(class_triples(source, 4)))
    """
    _, labels = checked_pairs(source).arrays()
    _, kinds, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(counts) < 2 or counts.min() < 2:
        raise ValueError(
            f"The numbers of examples per class are {counts.tolist()}: expected at least two "
            "classes with at least two examples each."
        )
    # In this order, the examples of a class are adjacent.
    order = np.argsort(kinds, kind="stable")
    first = (np.cumsum(counts) - counts)[kinds[order]]
    size = counts[kinds[order]]

    def uniform(most, key):
        chance = tf.random.stateless_uniform(tf.shape(most), key, dtype=tf.float64)
        return tf.cast(chance * tf.cast(most, tf.float64), tf.int64)

    def triples(place, key):
        fold = tf.random.experimental.stateless_fold_in
        begin = tf.gather(first, place)
        count = tf.gather(size, place)
        # Indices are counted around the class as on a ring, without the example itself.
        same = begin + (place - begin + 1 + uniform(count - 1, fold(key, 0))) % count
        # Indices are counted around all examples as on a ring, without the examples of the class.
        other = (begin + count + uniform(len(order) - count, fold(key, 1))) % len(order)
        x, label = source.gather(tf.gather(order, place))
        same_x, _ = source.gather(tf.gather(order, same))
        other_x, other_label = source.gather(tf.gather(order, other))
        return x, label, same_x, other_x, other_label

    return Source(np.arange(len(order))).stream(batch_size, seed, start, augment_batch=triples)


@checked_types
def episode(shots: PositiveInteger) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that samples an episode from a person's frames.

    Args:
        shots: Number of frames shown to the model in addition to the frame to predict: at least 1,
            and less than the number of frames per person.

    Returns:
        A function that accepts an example and a seed. The example is `(images, landmarks, label)`.
        Images and landmarks have the shape `[frames, height, width, channels]`, and the label is
        the person's index. The function returns the training inputs of `TalkingHeads`: the
        landmarks and the image of one frame, the images and landmarks of the shots, and the label.

    Example:
        >>> faces = drawn_faces(people=8, frames=6)
        >>> people = Source((faces.images, faces.landmarks, np.arange(8)))
        >>> batches = people.stream(4, augment=episode(shots=5))
    """

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


@checked_types
def clips(frames: PositiveInteger) -> Callable[[Any, Any], Any]:
    """Returns an augmentation that cuts a clip out of each video.

    Args:
        frames: Number of frames per clip, from 1 to the length of the videos.

    Returns:
        A function that accepts an example and a seed. The example is a video `[all_frames, ...]`,
        or several corresponding videos, such as poses and images. Clips from corresponding videos
        start at the same frame.

    Example:
        >>> dancers = drawn_dancers(videos=4, frames=8, size=16)
        >>> videos = Source((dancers.poses, dancers.images))
        >>> batches = videos.stream(4, augment=clips(2))
    """

    def cut(example, seed):
        count = tf.nest.flatten(example)[0].shape[0]
        if frames > count:
            raise ValueError(
                f"frames is {frames}: expected at most {count}, the number of frames per video."
            )
        first = tf.random.stateless_uniform([], seed, 0, count - frames + 1, tf.int32)

        def clip(video):
            return tf.ensure_shape(video[first : first + frames], [frames, *video.shape[1:]])

        return tf.nest.map_structure(clip, example)

    return cut
