"""Runs a causal network position by position, with a cache for each causal layer."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_gen.keras_internals import call_again, calls
from keras_gen.layers.causal import CausalLayer

# The values on which a tensor at a position depends: values up to this position; only values before
# the position; only values in the rows above; or none.
VALUES = "values"
FEATURE = "feature"
ROW = "row"
CONDITION = "condition"

TIMES = 8  # length at which networks for sequences of any length are tested


class Walker:
    """The operations of a causal network, applied one position at a time.

    Positions are the pixels of images, row by row, or the time steps of sequences, which are a
    single row. Tensors that depend only on the rows above, such as the vertical stack of Gated
    PixelCNN, are computed once per row. `keras_gen.autoregressive.sample_causal` shows the order of
    the calls.

    Args:
        network: Functional model whose layers are `CausalLayer`s or process every position
            independently; see `sample_causal`.
        conditions: Tensors for all inputs of the network except the first.

    Raises:
        ValueError: If a layer mixes positions, or if the network sees the value that it must
            predict.

    Example:
    ```python
    from keras_gen.networks import pixel_cnn
    walker = Walker(pixel_cnn((8, 8, 1), filters=8, blocks=1))
    caches = walker.empty_caches(batch=16, width=8)
    maps, caches = walker.start_row(tf.zeros([16, 8, 1]), caches, row=0)
    logits, caches = walker.predict(tf.zeros([16, 1]), caches, maps, column=0)
    ```
    """

    def __init__(self, network: keras.Model, conditions: Sequence = ()):
        values, *others = network.inputs
        self.values = id(values)
        self.parameters = id(network.outputs[0])
        self.size = tuple(values.shape[1:-1])
        self.constants = dict(zip(map(id, others), conditions, strict=True))
        self.kinds = _kinds(network)
        self.nodes: list = []
        self.weights = {}
        for node in calls(network):
            if self._kind(node) == CONDITION:
                _run(node, self.constants)  # computed once for all positions
                continue
            if isinstance(node.operation, CausalLayer):
                self.weights[len(self.nodes)] = node.operation.step_weights()
            self.nodes.append(node)

    def empty_caches(self, batch, width) -> dict:
        """Returns a dict of caches before the first position, one for each causal layer."""
        return {
            number: self.nodes[number].operation.empty_cache(weights, batch, width)
            for number, weights in self.weights.items()
        }

    def start_row(self, line, caches: dict, row) -> tuple[dict, dict]:
        """Returns a row's feature maps that do not depend on the row's values, and the next caches.

        Args:
            line: Values of the row, `[batch, width, channels]`, which do not affect the result.
            caches: Return value of `end_row` or `empty_caches`.
            row: Row number, int32.
        """
        if len(self.size) == 1:
            return dict(self.constants), caches
        maps = {key: _at(value, self.size, row, 1) for key, value in self.constants.items()}
        maps, after = self._run_row(line, caches, maps)
        return maps, caches | self._of_layers(after, see_values=False)

    def predict(self, values, caches: dict, maps: dict, column) -> tuple[tf.Tensor, dict]:
        """Returns the parameters of one position, `[batch, ..., channels]`, and the next caches.

        With several channels, call this method once per channel, with one more known value each
        time; only the caches of the last call are used.

        Args:
            values: Values at the position, `[batch, channels]`, with arbitrary numbers in place of
                unknown values.
            caches: Return value of `after_place` or `start_row`.
            maps: Return value of `start_row`.
            column: Column number, int32; no column may be skipped.
        """
        nodes = [n for n, node in enumerate(self.nodes) if self._kind(node) in (VALUES, FEATURE)]
        tensors, after = self._run_place(nodes, values, caches, maps, column)
        return tensors[self.parameters], caches | self._of_layers(after, see_values=False)

    def after_place(self, values, caches: dict, maps: dict, column) -> dict:
        """Returns the caches after a position with known values `[batch, channels]`."""
        nodes = []
        for number, node in enumerate(self.nodes):
            if VALUES in (self.kinds[id(tensor)] for tensor in node.input_tensors):
                nodes.append(number)
        _, after = self._run_place(nodes, values, caches, maps, column)
        return caches | after

    def end_row(self, line, caches: dict, maps: dict) -> dict:
        """Returns the caches after a row with known values `[batch, width, channels]`."""
        _, after = self._run_row(line, caches, maps)
        caches = caches | self._of_layers(after, see_values=True)
        for number, weights in self.weights.items():
            layer = self.nodes[number].operation
            if not layer.by_rows:
                caches[number] = layer.next_row(weights, caches[number])
        return caches

    def _kind(self, node):
        return self.kinds[id(node.outputs[0])]

    def _of_layers(self, caches, see_values):
        """Returns the caches of layers whose input does (or does not) see its own position."""
        found = {}
        for number, cache in caches.items():
            source = self.nodes[number].input_tensors[0]
            if (self.kinds[id(source)] == VALUES) == see_values:
                found[number] = cache
        return found

    def _run_row(self, line, caches, maps):
        """Runs row-wise operations; returns the feature maps and the layers' next caches."""
        tensors = dict(maps)
        tensors[self.values] = line[:, None]
        after = {}
        for number, node in enumerate(self.nodes):
            if not all(id(tensor) in tensors for tensor in node.input_tensors):
                continue
            if number not in self.weights:
                _run(node, tensors)
            elif node.operation.by_rows:
                x = tensors[id(node.input_tensors[0])][:, 0]
                step = node.operation.step
                y, after[number] = step(self.weights[number], caches[number], x, None)
                tensors[id(node.outputs[0])] = y[:, None]
        return {k: v for k, v in tensors.items() if self.kinds[k] != VALUES}, after

    def _run_place(self, nodes, values, caches, maps, column):
        """Runs some nodes at one position; returns the tensors and the layers' next caches."""
        axis = len(self.size)
        front = [1] * axis
        tensors = {key: _at(value, self.size, column, axis) for key, value in maps.items()}
        tensors[self.values] = tf.reshape(values, [-1, *front, values.shape[-1]])
        after = {}
        for number in nodes:
            node = self.nodes[number]
            if number not in self.weights:
                _run(node, tensors)
            elif not node.operation.by_rows:
                x = tensors[id(node.input_tensors[0])]
                x = tf.reshape(x, [-1, x.shape[-1]])
                step = node.operation.step
                y, after[number] = step(self.weights[number], caches[number], x, column)
                tensors[id(node.outputs[0])] = tf.reshape(y, [-1, *front, y.shape[-1]])
        return tensors, after


def _run(node, tensors: dict) -> list:
    """Calls an operation on tensors in a dict (by symbol id), and adds its outputs to the dict."""
    outputs = call_again(node, tensors)
    tensors.update(zip(map(id, node.outputs), outputs, strict=True))
    return outputs


def _kinds(network) -> dict:
    """Returns each tensor's dependence by id; raises an error if positions have no valid order."""
    kinds = {id(tensor): CONDITION for tensor in network.inputs}
    kinds[id(network.inputs[0])] = VALUES
    size = tuple(network.inputs[0].shape[1:-1])
    for node in calls(network):
        layer = node.operation
        inputs = {kinds[id(tensor)] for tensor in node.input_tensors}
        causal = isinstance(layer, CausalLayer)
        kind = next(kind for kind in (VALUES, FEATURE, ROW, CONDITION) if kind in inputs)
        if kind == VALUES and (FEATURE in inputs or (causal and layer.sees_itself)):
            raise ValueError(
                f"{layer.name} sees the values that it must predict: first pass these values "
                'through a layer that hides them, such as MaskedConvolution with mask="A".'
            )
        if causal and layer.by_rows and kind == FEATURE:
            raise ValueError(
                f"{layer.name} needs whole rows, but its input is computed one position at a "
                "time: expected feature maps of the rows above, such as the output of another "
                "VerticalConvolution."
            )
        if kind != CONDITION and not causal:
            _check_pointwise(node, size)
        if causal and kind != CONDITION:
            kind = ROW if layer.by_rows else FEATURE
        kinds |= {id(tensor): kind for tensor in node.outputs}
    if (kind := kinds[id(network.outputs[0])]) in (VALUES, CONDITION):
        raise ValueError(
            f"{network.name} has no causal layer between its input values and its output (the "
            f"output depends only on the {kind}): first pass the values through a causal layer, "
            'such as MaskedConvolution with mask="A".'
        )
    return kinds


def _check_pointwise(node, size):
    """Raises an error unless an operation processes each position independently."""
    rng = np.random.default_rng(0)
    operation = node.operation
    # Initial weights may be zero, which would hide a layer's dependencies.
    weights = operation.weights if isinstance(operation, keras.layers.Layer) else []
    random = [(w, rng.uniform(0.5, 1.5, w.shape)) for w in weights if "float" in w.dtype]
    with tf.init_scope():
        random = [(w, tf.constant(value, w.dtype)) for w, value in random]
        whole = {}
        for tensor in node.input_tensors:
            shape = [n or 1 for n in tensor.shape]
            if size == (None,) and len(tensor.shape) == 3 and tensor.shape[1] is None:
                shape[1] = TIMES
            whole[id(tensor)] = tf.cast(rng.normal(size=shape), tensor.dtype)
        alone = {key: _middle(value, size) for key, value in whole.items()}
        try:
            with keras.StatelessScope(random):
                expected = [_middle(output, size) for output in _run(node, whole)]
                outputs = _run(node, alone)
            same = all(
                a.shape == b.shape and np.allclose(a, b, rtol=1e-2, atol=1e-2)
                for a, b in zip(expected, outputs, strict=True)
            )
        except (ValueError, tf.errors.OpError):  # the operation requires a certain size
            same = False
    if not same:
        raise ValueError(
            f"{operation.name} ({type(operation).__name__}) mixes positions but is not a "
            "CausalLayer: use a CausalLayer, or sample with cached=False."
        )


def _middle(value, size):
    """Returns a tensor at the middle position, if it has positions."""
    for axis, length in enumerate(size, start=1):
        value = _at(value, size, (length or TIMES) // 2, axis)
    return value


def _at(value, size, place, axis: int):
    """Returns a tensor at one position of an axis, if it has positions; the axis is kept."""
    found = value.shape[1:-1]
    if value.shape.rank != len(size) + 2 or found[axis - 1] == 1:
        return value
    for has, length in zip(found, size, strict=True):
        if has not in (1, None, length) and length is not None:
            return value
    begin = [0] * value.shape.rank
    begin[axis] = place
    length = [-1] * value.shape.rank
    length[axis] = 1
    return tf.slice(value, begin, length)
