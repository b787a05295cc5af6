"""Edges for images with real values or integer levels."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import shown
from keras_gen.core.kinds_of_data.kind_of_data import (
    Edge,
    as_tensor,
    integers_within,
    of_shape,
    within,
)
from keras_gen.messages import warn

# Floats are interpreted as levels only if the maximum of the first batch is at least this value.
DIMMEST = 16
# Images with at least this number of levels are nearly black if their values are 0 and 1.
FINE = 16


def _subject(self: Images | Levels) -> str:
    """Name of the data in messages, such as "Images" or "Target images"; "Vectors" if flat."""
    name = self.name.replace("_", " ")
    return (name.replace("images", "vectors") if len(self.shape) == 1 else name).capitalize()


def _warn_if_binary(subject: str, values, white: int = 255) -> None:
    """Warns about integers whose values are only 0 and 1, unless they are read in a graph."""
    if white + 1 < FINE or not tf.executing_eagerly():
        return
    values = np.asarray(values)
    if values.size and values.dtype.kind in "iu" and values.max() == 1:
        warn(
            f"The {subject.lower()} are {values.dtype} with values 0 and 1, which are nearly "
            f"black: multiply the values by {white}."
        )


@dataclasses.dataclass(frozen=True)
class Images(Edge):
    """Images: uint8 outside the model, and float32 in a given range inside it.

    Args:
        shape: Shape of the images, `(height, width, channels)`, where None allows any size. The
            shape of other 8-bit data may have other axes.
        low: Value that represents level 0.
        high: Value that represents level 255.
        name: Name used by clients.
        float_levels: Whether float inputs, like uint8 inputs, range from 0 to 255.
        black_level: Level, at most 0, to which level 0 is mapped inside the model, where 255 levels
            span the distance from `low` to `high`. Outputs below `low` are clipped.

    Example:
        >>> Images((2, 2, 1)).prepare(np.full([1, 2, 2, 1], 255, "uint8"))[0, 0, 0, 0]
        <tf.Tensor: shape=(), dtype=float32, numpy=1.0>
    """

    shape: tuple
    low: float = -1.0
    high: float = 1.0
    name: str = "images"
    float_levels: bool = False
    black_level: float = 0.0
    keeps_floats = True

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts uint8 in [0, 255], or floats in [`low`, `high`], `[batch, *shape]`."""
        values = of_shape(as_tensor(values, self.name), self.shape, self.subject)
        levels = self.float_levels or values.dtype == tf.uint8
        if values.dtype == tf.uint8:
            _warn_if_binary(self.subject, values)
        else:
            if not values.dtype.is_floating:
                raise TypeError(
                    f"{self.subject} have dtype {values.dtype.name}: expected {self.expected()}. "
                    f"Convert {self._conversions()}."
                )
            low, high = (0.0, 255.0) if levels else (self.low, self.high)
            values = tf.cast(values, tf.float32)
            values = within(values, low, high, self.subject, self.expected() + self._scaling())
        if levels:
            scale = (self.high - self.low) / 255.0
            values = tf.cast(values, tf.float32) * scale + self.low
        if self.black_level:
            values = tf.where(values <= self.low, self.black, values)
        return values

    @property
    def span(self) -> tuple[float, float]:  # type: ignore[override]
        """Minimum and maximum value inside the model."""
        return self.low, self.high

    @property
    def black(self) -> float:
        """Value inside the model that represents black, which is level 0 outside."""
        return self.low + self.black_level * (self.high - self.low) / 255.0

    subject = property(_subject)

    def _conversions(self) -> str:
        """Describes how to convert integers to a format that `prepare` accepts."""
        levels = "levels from 0 to 255 with .astype('uint8')"
        return f"0 and 1 with .astype('float32'), and {levels}" if self.low == 0 else levels

    def _scaling(self) -> str:
        """Describes how to scale floats from 0 to 255, unless `prepare` scales them."""
        if self.float_levels or self.high <= self.low:
            return ""
        scale = f"x / {255 / (self.high - self.low):g}"
        offset = f" {'-' if self.low < 0 else '+'} {abs(self.low):g}" if self.low else ""
        return f". Scale floats from 0 to 255 with {scale}{offset}"

    def expected(self) -> str:
        """Describes the values that `prepare` accepts."""
        if self.float_levels:
            return (
                f"uint8 or floats in [0, 255], which are scaled to [{self.low:g}, {self.high:g}]"
            )
        return f"floats in [{self.low:g}, {self.high:g}], or uint8 in [0, 255]"

    @override
    def seen(self, values) -> Images | None:
        values = np.asarray(values)
        if not values.size or values.dtype.kind not in "uf":
            return None
        if values.dtype == np.uint8:
            _warn_if_binary(self.subject, values)
            return None
        least = float(values.min())
        most = float(values.max())
        if self.low < 0 <= least < most <= self.high:
            inside = f"[{self.low:g}, {self.high:g}]"
            warn(
                f"The {self.subject.lower()} are floats from {least:g} to {most:g}, but this "
                f"model expects black at {self.low:g} and gray at 0: pass uint8 images, or "
                f"scale them to {inside}."
            )
        levels = least >= 0 and self.high < most and DIMMEST <= most <= 255
        return dataclasses.replace(self, float_levels=levels)

    @override
    def restore(self, values):
        """Returns rounded levels as uint8, 0 to 255."""
        scaled = (tf.cast(values, tf.float32) - self.low) * (255.0 / (self.high - self.low))
        return tf.cast(tf.clip_by_value(tf.round(scaled), 0.0, 255.0), tf.uint8)

    @override
    def spec(self):
        return tf.TensorSpec([None, *self.shape], tf.uint8, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.float32)


@dataclasses.dataclass(frozen=True)
class Levels(Edge):
    """Discrete images, such as 8-bit grayscale: integers outside the model, and int32 inside it.

    Args:
        shape: `(height, width, channels)`.
        levels: Number of levels, which range from 0 to `levels` - 1.
        name: Name used by clients.
        dtype: Integer dtype outside the model. If None, uint8 is used for up to 256 levels, and
            int32 for more levels.

    Example:
        >>> Levels((1,), levels=2).prepare(np.array([[1]], "uint8"))
        <tf.Tensor: shape=(1, 1), dtype=int32, numpy=array([[1]], dtype=int32)>
    """

    shape: tuple
    levels: int = 256
    name: str = "images"
    dtype: str | None = None

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts integers `[batch, *shape]`."""
        values = of_shape(as_tensor(values, self.name), self.shape, self.subject)
        levels = integers_within(values, 0, self.levels - 1, self.subject)
        self.seen(values)
        return levels

    subject = property(_subject)

    @override
    def seen(self, values) -> None:
        # Other data with levels, such as masks, may consist of 0 and 1.
        if len(self.shape) == 3 and self.subject.lower().endswith("images"):
            _warn_if_binary(self.subject, values, self.levels - 1)

    @override
    def restore(self, values):
        rounded = tf.clip_by_value(tf.round(tf.cast(values, tf.float32)), 0.0, self.levels - 1.0)
        return tf.cast(rounded, self.spec().dtype)

    @override
    def spec(self):
        dtype = self.dtype or (tf.uint8 if self.levels <= 256 else tf.int32)
        return tf.TensorSpec([None, *self.shape], dtype, name=self.name)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None, *self.shape], tf.int32)


def missing_pixels(masks: np.ndarray) -> np.ndarray:
    """Returns a boolean mask that is True for missing pixels, where `masks` is not 0.

    Raises:
        TypeError: If `masks` is not an array of numbers or booleans.
        ValueError: If `masks` contains NaN.
    """
    array = np.asarray(as_tensor(masks, "masks"))
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"masks is {shown(masks)}: expected 0 for known pixels and other numbers for missing "
            "pixels."
        )
    if np.isnan(array).any():
        raise ValueError("masks contains NaN: expected numbers that are 0 for known pixels.")
    return array != 0
