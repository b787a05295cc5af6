"""Edges for waveforms, as amplitudes or mu-law levels."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer
from keras_gen.core.kinds_of_data.kind_of_data import PADDING, Edge, as_tensor, of_shape, within
from keras_gen.data.transforms.waveforms import mu_law_levels, mu_law_waveform
from keras_gen.files.sounds import of_one_length
from keras_gen.messages import warn
from keras_gen.tensor_checks import require

# The minimum fraction of samples at full scale for a sound to be considered clipped.
CLIPPED = 0.01


class Sounds(Edge):
    """Base class for audio edges, which require recordings of equal length."""

    @override
    def as_array(self, values):
        return of_one_length(super().as_array(values))


@dataclasses.dataclass(frozen=True)
class Waveforms(Sounds):
    """Waveforms: float32 in [-1, 1], or int16, which is divided by 32,768.

    Args:
        samples: Number of samples in an example, or None for any number.
        channels: Number of channels, such as 1 for mono.
        name: Name used by clients.
        multiple: Number by which the number of samples must be divisible.

    Example:
        >>> Waveforms(2).prepare(np.array([[[0], [-32768]]], "int16"))[0, 1, 0]
        <tf.Tensor: shape=(), dtype=float32, numpy=-1.0>
    """

    samples: int | None = None
    channels: int = 1
    name: str = "waveforms"
    multiple: int = 1

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts int16, or floats in [-1, 1], `[batch, samples, channels]`."""
        shape = (self.samples, self.channels)
        values = of_shape(as_tensor(values, self.name), shape, "Waveforms")
        if self.multiple > 1:
            samples = tf.shape(values)[1]
            fits = samples % self.multiple == 0
            sentence = f"Waveforms have {{}} samples: expected a multiple of {self.multiple}."
            with tf.control_dependencies([require(fits, sentence, samples)]):
                values = tf.identity(values)
        return _amplitudes(values)

    @override
    def restore(self, values):
        """Returns the values as float32, clipped to [-1, 1]."""
        return tf.clip_by_value(tf.cast(values, tf.float32), -1.0, 1.0)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.samples, self.channels], tf.float32)


@dataclasses.dataclass(frozen=True)
class MuLaw(Sounds):
    """Mono sound: int16 or floats outside the model, int32 mu-law levels inside (`mu_law_levels`).

    Exact zeros before the first and after the last nonzero sample of a recording are padding.
    Inside the model, padding is -1, which all losses ignore. Zeros between nonzero samples have an
    ordinary level. A recording of zeros consists entirely of padding. No level has 0 as its
    midpoint, so converting the output of `restore` gives the same levels again.

    Args:
        samples: Number of samples in an example, or None for any number.
        levels: Number of levels, an even number from 2 to 512. With more levels, int16 could not
            distinguish the levels in quiet passages.
        name: Name used by clients.

    Example:
        >>> MuLaw(5).prepare(np.array([[[0], [9], [0], [-9], [0]]], "int16"))[0, :, 0].numpy()
        array([ -1, 129, 128, 126,  -1], dtype=int32)
    """

    samples: int | None = None
    levels: int = 256
    name: str = "waveforms"

    def __post_init__(self):
        if self.samples is not None:
            checked_integer("samples", self.samples, minimum=1)
        if checked_integer("levels", self.levels, 2, 512) % 2:
            raise ValueError(f"levels is {self.levels}: expected an even number, such as 256.")

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts int16, or floats in [-1, 1], `[batch, samples, 1]`."""
        values = as_tensor(values, self.name)
        shape = values.shape
        if shape.rank == 2:
            raise ValueError(
                f"Waveforms have shape {shape}: expected [batch, samples, 1]. Add the channel "
                "with waveforms[..., None]."
            )
        if shape.rank == 3 and shape[2] not in (1, None):
            raise ValueError(
                f"Waveforms have shape {shape}, with {shape[2]} channels: expected 1 channel. "
                "Use one of the channels, or the mean of the channels."
            )
        values = _amplitudes(of_shape(values, (self.samples, 1), "Waveforms"))
        return tf.where(_live(values), mu_law_levels(values, self.levels), PADDING)

    @override
    def seen(self, values) -> None:
        """Warns if much of the sound is clipped."""
        values = np.asarray(values)
        if values.dtype != np.int16 and values.dtype.kind != "f":
            return
        full = 32767 if values.dtype == np.int16 else 32767 / 32768
        sounding = np.count_nonzero(values)
        clipped = np.count_nonzero((values >= full) | (values <= -full))
        if clipped > CLIPPED * sounding:
            warn(
                f"{clipped / sounding:.0%} of the samples are at full scale, as in clipped "
                "recordings: use recordings without clipping."
            )

    @override
    def restore(self, values):
        """Returns the midpoints of the levels as int16, with 0 for padding."""
        values = tf.cast(values, tf.int32)
        sounds = mu_law_waveform(tf.clip_by_value(values, 0, self.levels - 1), self.levels)
        sounds = tf.cast(tf.round(sounds * 32768.0), tf.int16)
        return tf.where(values == PADDING, tf.zeros_like(sounds), sounds)

    @override
    def spec(self):
        return tf.TensorSpec([None, self.samples, 1], tf.int16, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, self.samples, 1], tf.int32)


def _amplitudes(values):
    """Converts int16 or float sound to float32 in [-1, 1]."""
    if values.dtype == tf.int16:
        return tf.cast(values, tf.float32) / 32768.0
    if not values.dtype.is_floating:
        raise TypeError(
            f"Waveforms have dtype {values.dtype.name}: expected int16, or floats in [-1, 1]."
        )
    expected = "floats in [-1, 1] or int16"
    return within(tf.cast(values, tf.float32), -1.0, 1.0, "Waveforms", expected)


def _live(values):
    """Returns a mask of the samples from the first to the last nonzero sample."""
    sounds = tf.cast(values != 0, tf.int32)
    begun = tf.cumsum(sounds, axis=1) > 0
    to_come = tf.cumsum(sounds, axis=1, reverse=True) > 0
    return begun & to_come
