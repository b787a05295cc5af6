"""Layers that change only channels: one-hot encoding, gated units, and learned scales."""

from typing import ClassVar

import keras
from keras import ops
from typing_extensions import override

from keras_gen.declared import Count, CountFrom0, DeclaredLayer, Positive
from keras_gen.layers.layer_arguments import require_input


@keras.saving.register_keras_serializable("keras_gen")
class OneHot(DeclaredLayer):
    """One-hot encoding of levels: one channel per level, which is 1 where the level occurs.

    Quantized sound is encoded in this way in van den Oord et al.: "WaveNet: A Generative Model for
    Raw Audio", 2016. There are no weights, and every position is processed independently. The input
    is integers, or floats that are whole numbers, from -1 to `levels` - 1, `[batch, ..., 1]`. The
    output is floats `[batch, ..., levels]`.

    Args:
        levels: Number of levels, at least 2.
        padding: Level that replaces padding (-1). If None, padding is encoded as 0 in all channels.

    Example:
        >>> OneHot(3, padding=1)(tf.constant([[[2], [-1]]])).numpy()[0]
        array([[0., 0., 1.],
               [0., 1., 0.]], dtype=float32)
    """

    levels: Count
    padding: CountFrom0 | None = None
    # Inputs are not cast, because half precision cannot represent all levels.
    options: ClassVar = {"autocast": False}

    @override
    def set_up(self):
        if self.levels < 2 or (self.padding or 0) >= self.levels:
            raise ValueError(
                f"levels is {self.levels}, and padding is {self.padding}: expected at least 2 "
                "levels, and a padding that is one of the levels or None."
            )

    @override
    def build(self, input_shape):
        require_input(self, input_shape, input_shape[-1] == 1, "[batch, ..., 1]")

    @override
    def call(self, values):
        values = keras.ops.cast(keras.ops.round(values), "int32")[..., 0]
        if self.padding is not None:
            values = keras.ops.where(values < 0, self.padding, values)
        return keras.ops.one_hot(values, self.levels, dtype=self.compute_dtype)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.levels)


@keras.saving.register_keras_serializable("keras_gen")
class GatedUnit(DeclaredLayer):
    """Gated activation unit: tanh(a) * sigmoid(b), where a and b are the halves of the channels.

    Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: "Conditional Image
    Generation with PixelCNN Decoders", NeurIPS 2016, eq. (2); van den Oord et al.: "WaveNet: A
    Generative Model for Raw Audio", 2016, eq. (2). Every position is processed independently, and
    there are no weights: the previous layer computes both halves. Floats `[batch, ..., channels]`
    become `[batch, ..., channels / 2]`.

    Args:
        groups: Number of consecutive groups of equal size into which the channels are divided. Each
            group has its own halves a and b. For maps from `MaskedConvolution`, whose groups must
            not be mixed, use the number of channels in the image. The number of channels must be a
            multiple of `2 * groups`.

    Example:
        >>> y = GatedUnit()(tf.random.normal([2, 100, 32]))  # [2, 100, 16]
    """

    groups: Count = 1

    @override
    def build(self, input_shape):
        channels = input_shape[-1]
        halves = f"two halves in each of {self.groups} groups"
        right = channels and channels % (2 * self.groups) == 0
        expected = f"a multiple of {2 * self.groups} channels, {halves}"
        require_input(self, input_shape, right, expected)

    @override
    def call(self, x):
        if self.groups == 1:
            a, b = keras.ops.split(x, 2, axis=-1)
        else:
            halves = keras.ops.split(x, 2 * self.groups, axis=-1)
            a = keras.ops.concatenate(halves[::2], axis=-1)
            b = keras.ops.concatenate(halves[1::2], axis=-1)
        return keras.ops.tanh(a) * keras.ops.sigmoid(b)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)


@keras.saving.register_keras_serializable("keras_gen")
class ColumnScales(DeclaredLayer):
    """Appends one learned raw scale per column, shared by all rows, to the means.

    The input is means `[batch, ..., columns]`. The output is float32 `[batch, ..., 2 * columns]`,
    the parameters of a `Normal` likelihood whose scale is learned.

    In training, the gradient of each mean is multiplied by the variance of its column, divided by
    the mean variance of all columns: the beta-NLL of Seitzer, Tavakoli, Antic, Martius: "On the
    Pitfalls of Heteroscedastic Uncertainty Estimation with Probabilistic Neural Networks", ICLR
    2022, with beta = 1. All columns then have the same weight as in a squared error, so columns
    with a large initial scale are also learned. Outputs, and therefore losses, do not change.

    Deviations: in the paper, the factor is the variance alone, and it is also applied to the
    gradient of the scale. Without the division, the factor would change the weight of the
    reconstruction term relative to other terms of a loss.

    Args:
        minimum_scale: Minimum scale of the likelihood.

    Example:
        >>> parameters = ColumnScales()(keras.random.normal([8, 3]))  # [8, 6]
    """

    minimum_scale: Positive = 0.03

    @override
    def build(self, input_shape):
        self.raw_scales = self.add_weight(
            name="raw_scales", shape=input_shape[-1:], initializer="zeros"
        )

    @override
    def call(self, means, training=False):
        raw = ops.convert_to_tensor(self.raw_scales)
        if training:
            variances = ops.square(ops.softplus(raw) + self.minimum_scale)
            weighted = means * ops.stop_gradient(variances / ops.mean(variances))
            means = weighted + ops.stop_gradient(means - weighted)
        return ops.concatenate([means, ops.broadcast_to(raw, ops.shape(means))], axis=-1)

    @override
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2 * input_shape[-1])
