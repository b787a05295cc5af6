"""Levels as one-hot vectors."""

import keras
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments


@keras.saving.register_keras_serializable("keras_gen")
class OneHot(keras.layers.Layer):
    """One-hot vectors of levels: for each level a channel, which is 1 where it stands.

    Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016, sees quantized sound so.
    There are no weights, and every place is treated by itself. Integers, or floats that are whole
    numbers, `[batch, ..., 1]` in -1 to `levels` - 1 become floats `[batch, ..., levels]`.

    Args:
        levels: Number of levels, at least 2.
        padding: Level that -1, padding, is taken for; None: zeros, as of no level.

    Example:
        >>> OneHot(3, padding=1)(tf.constant([[[2], [-1]]])).numpy()[0]
        array([[0., 0., 1.],
               [0., 1., 0.]], dtype=float32)
    """

    @checked_arguments
    def __init__(self, levels: int, padding: int | None = None, **kwargs):
        # Half precision has not all levels, so that inputs stay as they are.
        super().__init__(autocast=False, **kwargs)
        if levels < 2 or not (padding is None or 0 <= padding < levels):
            raise ValueError(
                f"levels is {levels} and padding {padding}: expected at least 2 levels, and one of "
                "them or None."
            )
        self.levels = levels
        self.padding = padding

    @override
    def build(self, input_shape):
        if input_shape[-1] != 1:
            raise ValueError(
                f"OneHot got the shape {tuple(input_shape)}: expected [batch, ..., 1]."
            )

    @override
    def call(self, values):
        values = keras.ops.cast(keras.ops.round(values), "int32")[..., 0]
        if self.padding is not None:
            values = keras.ops.where(values < 0, self.padding, values)
        return keras.ops.one_hot(values, self.levels, dtype=self.compute_dtype)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.levels)

    @override
    def get_config(self) -> dict:
        config = super().get_config() | {"levels": self.levels, "padding": self.padding}
        return config
