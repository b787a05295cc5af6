"""A causal network computed one pixel at a time, with a cache for each convolution."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.layers.masked_convolution import MaskedConvolution

# What a tensor is a function of, at a pixel: of the image there, only of values before those that
# are predicted there, or of no image.
IMAGE = "image"
FEATURE = "feature"
CONDITION = "condition"


class OnePixel:
    """The operations of a causal network, applied to one pixel after the other.

    Args:
        network: As in `keras_gen.autoregressive.sampling.sample_causal`.
        conditions: Tensors for its inputs after the first.

    Raises:
        ValueError: If a layer mixes pixels, or sees the value that it is to predict.

    Example:
    ```python
    from keras_gen.networks.pixel_cnn import pixel_cnn
    one_pixel = OnePixel(pixel_cnn((8, 8, 1), filters=8, blocks=1))
    caches = one_pixel.empty_caches(batch=16)
    logits, caches = one_pixel(tf.zeros([16, 1]), last=0, here=0, caches=caches)
    ```
    """

    def __init__(self, network, conditions=()):
        self.image, *others = network.inputs
        self.parameters = network.outputs[0]
        self.size = tuple(self.image.shape[1:3])
        self.constants = dict(zip(map(id, others), conditions, strict=True))
        self.nodes = []
        self.convolutions = {}
        kinds = _kinds(network)
        for node in _nodes(network):
            if kinds[id(node.outputs[0])] == CONDITION:
                _run(node, self.constants)  # once, for all pixels
                continue
            if isinstance(node.operation, MaskedConvolution):
                on_image = kinds[id(node.input_tensors[0])] == IMAGE
                self.convolutions[len(self.nodes)] = _Convolution(node, self.size[1], on_image)
            self.nodes.append(node)

    def empty_caches(self, batch) -> dict:
        """Returns the caches before the first pixel, for a batch of images."""
        return {
            number: convolution.empty_cache(batch)
            for number, convolution in self.convolutions.items()
            if convolution.looks_back
        }

    def __call__(self, values, last, here, caches) -> tuple:
        """Returns the parameters of one pixel, `[batch, 1, 1, channels]`, and the next caches.

        Pixels are numbered row by row, and `here` must not skip any. With several channels a pixel
        takes as many calls, each with one more channel in `values`.

        Args:
            values: Values of the pixel `last`, `[batch, channels]`.
            last: Int32, the pixel of the last drawn value: `here`, or the one before.
            here: Int32, the pixel to compute.
            caches: From `empty_caches` or the call before.
        """
        tensors = {key: _part(value, here, self.size) for key, value in self.constants.items()}
        tensors[id(self.image)] = values[:, None, None, :]
        caches = dict(caches)
        for number, node in enumerate(self.nodes):
            if convolution := self.convolutions.get(number):
                seen = convolution.flat(tensors[id(node.input_tensors[0])])
                if number in caches:
                    seen, caches[number] = convolution.look_back(
                        seen, last, here, caches[number]
                    )
                tensors[id(node.outputs[0])] = convolution(seen)
            else:
                _run(node, tensors)
        return tensors[id(self.parameters)], caches


class _Convolution:
    """A masked convolution at one pixel, with a cache of its input.

    The cache holds the rows that the kernel still sees, `[places, batch, channels]`: each new row
    replaces the oldest. Every row ends with zeros, as padding on its right and on the left of the
    next.
    """

    def __init__(self, node, width, on_image):
        self.layer = node.operation
        self.width = width
        self.on_image = on_image
        self.looks_back = on_image or self.layer.kernel_size != (1, 1)
        height, width_of_kernel = self.layer.kernel_size
        rows = height // 2
        self.margin = width_of_kernel // 2
        stride = width + self.margin
        self.places = (rows + 1) * stride
        self.taps = self.layer.taps @ [stride, 1]
        self.kernel, self.bias = self.layer.weights_at_taps()
        self.channels = node.input_tensors[0].shape[-1]

    def empty_cache(self, batch):
        return tf.zeros([self.places, batch, self.channels], self.kernel.dtype)

    def flat(self, inputs):
        """From `[batch, 1, 1, channels]` to `[batch, channels]`, in the layer's compute dtype."""
        return tf.cast(tf.reshape(inputs, [-1, self.channels]), self.kernel.dtype)

    def look_back(self, inputs, last, here, cache):
        """Adds pixel `last` (images) or `here` (maps) to the cache; returns the kernel's inputs."""
        place = self._places(last if self.on_image else here, np.zeros(1, int))
        cache = tf.tensor_scatter_nd_update(cache, [place], inputs[None])
        seen = tf.gather(cache, self._places(here, self.taps))
        return tf.reshape(tf.transpose(seen, [1, 0, 2]), [-1, self.kernel.shape[0]]), cache

    def __call__(self, seen):
        outputs = self.layer.activation(tf.nn.bias_add(seen @ self.kernel, self.bias))
        return tf.reshape(outputs, [-1, 1, 1, self.layer.filters])

    def _places(self, pixel, taps):
        return (pixel + pixel // self.width * self.margin + taps) % self.places


def _nodes(network):
    """The calls of a functional model's operations, each after those that it needs."""
    network = getattr(network, "_functional", network)  # of a Sequential model
    for depth in sorted(network._nodes_by_depth, reverse=True):
        yield from (node for node in network._nodes_by_depth[depth] if not node.is_input)


def _run(node, tensors: dict) -> list:
    """Calls an operation on the known tensors, a dict by symbol id, and adds its outputs."""
    args, kwargs = node.arguments.fill_in(tensors)
    outputs = keras.tree.flatten(node.operation(*args, **kwargs))
    tensors.update(zip(map(id, node.outputs), outputs, strict=True))
    return outputs


def _kinds(network) -> dict:
    """What each tensor is a function of, by id; raises if it cannot be computed pixel by pixel."""
    kinds = {id(tensor): CONDITION for tensor in network.inputs}
    kinds[id(network.inputs[0])] = IMAGE
    for node in _nodes(network):
        layer = node.operation
        inputs = {kinds[id(tensor)] for tensor in node.input_tensors}
        masked = isinstance(layer, MaskedConvolution)
        kind = next(kind for kind in (IMAGE, FEATURE, CONDITION) if kind in inputs)
        if kind == IMAGE and (FEATURE in inputs or (masked and layer.mask != "A")):
            raise ValueError(
                f"{layer.name} sees the values that are to be predicted: let the image pass "
                'through a MaskedConvolution with mask="A" first.'
            )
        if kind != CONDITION and not masked:
            _check_pointwise(node, network.inputs[0].shape[1:3])
        kind = FEATURE if masked and kind == IMAGE else kind
        kinds |= {id(tensor): kind for tensor in node.outputs}
    if (kind := kinds[id(network.outputs[0])]) != FEATURE:
        raise ValueError(
            f"{network.name} ends with a function of the {kind} alone: let the image pass "
            'through a MaskedConvolution with mask="A".'
        )
    return kinds


def _check_pointwise(node, size):
    """Raises unless an operation treats each pixel of random inputs by itself."""
    rng = np.random.default_rng(0)
    operation = node.operation
    # Initial weights may be zeros, which hide what a layer sees.
    weights = operation.weights if isinstance(operation, keras.layers.Layer) else []
    random = [(w, rng.uniform(0.5, 1.5, w.shape)) for w in weights if "float" in w.dtype]
    pixel = size[0] // 2 * size[1] + size[1] // 2
    with tf.init_scope():
        random = [(w, tf.constant(value, w.dtype)) for w, value in random]
        whole = {
            id(tensor): tf.cast(rng.normal(size=[n or 1 for n in tensor.shape]), tensor.dtype)
            for tensor in node.input_tensors
        }
        alone = {key: _part(value, pixel, size) for key, value in whole.items()}
        try:
            with keras.StatelessScope(random):
                expected = [_part(output, pixel, size) for output in _run(node, whole)]
                outputs = _run(node, alone)
            same = all(
                a.shape == b.shape and np.allclose(a, b, rtol=1e-2, atol=1e-2)
                for a, b in zip(expected, outputs, strict=True)
            )
        except (ValueError, tf.errors.OpError):  # it wants a certain size
            same = False
    if not same:
        raise ValueError(
            f"{operation.name} ({type(operation).__name__}) mixes pixels and is no "
            "MaskedConvolution: use one, or sample with cached=False."
        )


def _part(value, pixel, size):
    """A tensor at one pixel, if it has pixels."""
    if value.shape.rank != 4 or tuple(value.shape[1:3]) != tuple(size):
        return value
    return tf.slice(value, [0, pixel // size[1], pixel % size[1], 0], [-1, 1, 1, -1])
