"""The seeds that every test starts from."""

import contextlib
import random
from unittest import mock

import keras
import tensorflow as tf
from tensorflow.python.eager import context


def start_over(seed: int) -> None:
    """Seeds everything as Keras does, and keeps compiled functions where TensorFlow drew nothing.

    TensorFlow forgets them all when it is seeded, and each is optimized again at its next call.
    """
    eager = context.context()
    fresh = eager._seed == seed and eager._rng.getstate() == random.Random(seed).getstate()
    with mock.patch.object(tf.random, "set_seed") if fresh else contextlib.nullcontext():
        keras.utils.set_random_seed(seed)
