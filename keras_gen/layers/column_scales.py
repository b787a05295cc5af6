"""One learned scale for each column, next to means that depend on latents."""

import keras
from keras import ops
from typing_extensions import override

from keras_gen.arguments import checked_positive


@keras.saving.register_keras_serializable("keras_gen")
class ColumnScales(keras.layers.Layer):
    """Appends one learned raw scale for each column to means, the same for all rows.

    Input: means `[batch, ..., columns]`. Output: float32 `[batch, ..., 2 * columns]`, the
    parameters of a `Normal` likelihood whose scale is learned.

    In training, the gradient of each mean is multiplied by the variance of its column, divided by
    the mean variance of all columns: the beta-NLL of Seitzer, Tavakoli, Antic, Martius: "On the
    Pitfalls of Heteroscedastic Uncertainty Estimation with Probabilistic Neural Networks", ICLR
    2022, with beta = 1. All columns count as in a squared error, and a column whose scale is large
    at first is learned too. Outputs, and so losses, are unchanged.

    Deviations: the paper's factor is the variance alone, and it weights the gradient of the scale
    too. Without the division it would change the weight of the other terms of a loss.

    Args:
        minimum_scale: That of the likelihood.

    Example:
        >>> parameters = ColumnScales()(keras.random.normal([8, 3]))  # [8, 6]
    """

    def __init__(self, minimum_scale: float = 0.03, **kwargs):
        super().__init__(**kwargs)
        self.minimum_scale = checked_positive("minimum_scale", minimum_scale)

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

    @override
    def get_config(self) -> dict:
        return super().get_config() | {"minimum_scale": self.minimum_scale}
