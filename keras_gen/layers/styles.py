"""Layers of style-based generators (StyleGAN)."""

import keras
import tensorflow as tf
from keras import ops
from typing_extensions import override

from keras_gen.declared import Count, CountFrom0, DeclaredLayer
from keras_gen.layers.equalized import EqualizedDense
from keras_gen.layers.normalization import normalized


@keras.saving.register_keras_serializable("keras_gen")
class LearnedConstant(DeclaredLayer):
    """Learned maps that replace the input and are the same for all examples.

    Karras, Laine, Aila: "A Style-Based Generator Architecture for Generative Adversarial Networks",
    CVPR 2019, sec. 2. The maps start as ones, as in the authors' code. Only the batch size of the
    input `[batch, ...]` matters; the output is `[batch, *shape]`.

    Args:
        shape: Shape of the maps, `(height, width, channels)`.

    Example:
        >>> maps = LearnedConstant((4, 4, 8))(tf.zeros([5, 16]))  # [5, 4, 4, 8]
    """

    shape: tuple[int, ...]

    @override
    def build(self, input_shape):
        self.maps = self.add_weight(name="maps", shape=self.shape, initializer="ones")

    @override
    def call(self, inputs):
        count = ops.shape(inputs)[0]
        return ops.broadcast_to(ops.convert_to_tensor(self.maps)[None], (count, *self.shape))


@keras.saving.register_keras_serializable("keras_gen")
class AdaptiveInstanceNormalization(keras.layers.Layer):
    """Gives each channel of the maps a mean and a standard deviation that depend on a style.

    Karras, Laine, Aila: "A Style-Based Generator Architecture for Generative Adversarial Networks",
    CVPR 2019, eq. (1): AdaIN(x, y) = y_s (x - mean(x)) / std(x) + y_b. An affine map computes y
    from the style; as in the authors' code, 1 is added to the map's output for y_s. Inputs are
    maps `[batch, height, width, channels]` and styles `[batch, style]`; the output has the shape of
    the maps.

    Example:
        >>> y = AdaptiveInstanceNormalization()([tf.ones([2, 8, 8, 4]), tf.ones([2, 16])])
    """

    @override
    def build(self, input_shape):
        maps, style = input_shape
        self.affine = EqualizedDense(2 * maps[-1], gain=1.0, dtype=self.dtype_policy)
        self.affine.build(style)

    @override
    def call(self, inputs):
        maps, style = inputs
        # `normalized` requires the scale and the offset in float32.
        scale, offset = ops.split(ops.cast(self.affine(style), "float32"), 2, axis=-1)
        scale, offset = ops.reshape(scale + 1, [-1]), ops.reshape(offset, [-1])
        return ops.cast(normalized(maps, scale, offset, epsilon=1e-8), self.compute_dtype)


@keras.saving.register_keras_serializable("keras_gen")
class ModulatedConv2D(DeclaredLayer):
    """A convolution whose kernel is modulated by each example's style.

    Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: "Analyzing and Improving the Image Quality of
    StyleGAN", CVPR 2020, eqs. (1) and (3). The style scales the input channels, w'_ijk = s_i w_ijk.
    Each output channel's kernel is then divided by its norm, so inputs with variance 1 yield
    outputs with variance 1. An affine map of the style returns s, which is initially about 1. The
    implementation scales the inputs instead of the kernel and divides the outputs by the norm,
    which is equivalent. Inputs are maps `[batch, height, width, channels]` and styles `[batch,
    style]`; the output is `[batch, height, width, filters]`.

    Args:
        filters: Number of output channels.
        kernel_size: Side length of the kernel.
        demodulate: Whether to divide by the norm. Use False for layers that return colors.
        use_bias: Whether to add a bias.

    Example:
        >>> y = ModulatedConv2D(8, 3)([tf.ones([2, 16, 16, 4]), tf.ones([2, 32])])  # [2, 16, 16, 8]
    """

    filters: Count
    kernel_size: Count
    demodulate: bool = True
    use_bias: bool = False

    @override
    def build(self, input_shape):
        maps, style = input_shape
        shape = (self.kernel_size, self.kernel_size, maps[-1], self.filters)
        # The kernel is float32 under any policy, because its norm requires float32.
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.kernel = self.add_weight(shape, normal, name="kernel", autocast=False)
        self.scale = (self.kernel_size**2 * maps[-1]) ** -0.5
        self.affine = EqualizedDense(
            maps[-1], gain=1.0, bias_initializer="ones", dtype=self.dtype_policy
        )
        self.affine.build(style)
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    @override
    def call(self, inputs):
        maps, style = inputs
        s = self.affine(style)
        kernel = self.kernel.value * self.scale
        outputs = ops.conv(
            maps * s[:, None, None], ops.cast(kernel, self.compute_dtype), padding="same"
        )
        if self.demodulate:
            # Eq. (3): the sum over i, k of (s_i w_ijk)^2.
            power = ops.sum(ops.square(kernel), axis=(0, 1))
            norm = ops.rsqrt(ops.matmul(ops.square(ops.cast(s, "float32")), power) + 1e-8)
            outputs = outputs * ops.cast(norm, self.compute_dtype)[:, None, None]
        return outputs + self.bias if self.use_bias else outputs


@keras.saving.register_keras_serializable("keras_gen")
class NoisyActivation(DeclaredLayer):
    """Adds a bias and scaled noise to maps, and applies leaky ReLU with slope 0.2.

    Karras, Laine, Aila: "A Style-Based Generator Architecture for Generative Adversarial Networks",
    CVPR 2019, sec. 2 and fig. 1b. All channels of an example share one noise map, and each channel
    has a learned factor, initially 0. Random details, such as the position of each hair, thus do
    not need to come from the latents. Inputs are maps `[batch, height, width, channels]` of a known
    size and noise `[batch, numbers]`, of which the layer uses `height * width` numbers; the output
    has the shape of the maps.

    Args:
        offset: Index of this layer's first number in the noise for an example.
        gain: Factor applied to the outputs. Use sqrt(2) after convolutions without a gain.

    Example:
        >>> y = NoisyActivation(offset=16)([tf.ones([2, 4, 4, 8]), tf.random.normal([2, 32])])
    """

    offset: CountFrom0 = 0
    gain: float = 1.0

    @override
    def build(self, input_shape):
        self.height, self.width, channels = input_shape[0][1:]
        weight = dict(shape=(channels,), initializer="zeros")
        self.bias = self.add_weight(name="bias", **weight)
        self.strength = self.add_weight(name="strength", **weight)

    @override
    def call(self, inputs):
        maps, noise = inputs
        end = self.offset + self.height * self.width
        noise = ops.reshape(noise[:, self.offset : end], (-1, self.height, self.width, 1))
        return tf.nn.leaky_relu(maps + noise * self.strength + self.bias, 0.2) * self.gain
