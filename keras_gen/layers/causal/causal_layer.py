"""The base class of causal layers, which samplers compute position by position."""

import tensorflow as tf

from keras_gen.declared import DeclaredLayer


class CausalLayer(DeclaredLayer):
    """Base class for layers whose outputs depend only on inputs at previous positions.

    Positions are the pixels of an image, row by row and from left to right, or the time steps of a
    sequence, which is treated as a single row. `call` computes all positions at once, as in
    training. A sampler, which does not yet have the whole input, computes the same outputs position
    by position (see `keras_gen.autoregressive.Walker`). The cache contains the information from
    previous inputs that the layer still needs. Caches are nested structures of tensors and
    `tf.TensorArray`s. In a graph, a step never changes the cache that it receives.

    Attributes:
        sees_itself: Whether the output at a position depends on the whole input at that position.
            On every path from a value to its own prediction, a network must have at least one layer
            for which this is False.
        by_rows: Whether the output at a position depends on whole rows of the input (the rows above
            and, if `sees_itself`, its own row). If True, the output is computed once per row.

    Example:
    ```python
    @keras.saving.register_keras_serializable()
    class RunningSum(CausalLayer):
        def call(self, x):
            return tf.cumsum(x, axis=1)

        def empty_cache(self, weights, batch, width):
            return tf.zeros([batch, 1])

        def step(self, weights, cache, x, column):
            return cache + x, cache + x


    sums = RunningSum()(tf.ones([2, 5, 1]))
    ```
    """

    by_rows = False
    sees_itself = True

    def step_weights(self):
        """Returns the weights in the format and dtype of `step`; samplers call this only once."""
        return ()

    def empty_cache(self, weights, batch: tf.Tensor, width: tf.Tensor):
        """Returns the cache before the first position.

        Args:
            weights: Result of `step_weights`.
            batch: Number of examples, int32.
            width: Number of positions in a row, int32.
        """
        return ()

    def step(self, weights, cache, x: tf.Tensor, column) -> tuple:
        """Returns the output at the next position, and the cache after it.

        Args:
            weights: Result of `step_weights`.
            cache: Cache from the previous step, `next_row`, or `empty_cache`.
            x: Input at this position, `[batch, channels]`; if `by_rows`, the whole row,
                `[batch, width, channels]`. Parts of x that the layer does not see may change later,
                in which case the step is repeated to update the cache.
            column: Position in the row, int32; None if `by_rows`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement step: override it.")

    def next_row(self, weights, cache):
        """Returns the cache at the start of the next row; not called by samplers if `by_rows`."""
        return cache


def empty_row(dtype, width, channels: int) -> tf.TensorArray:
    """Returns an empty row, to which pixels `[batch, channels]` are written one by one."""
    return tf.TensorArray(dtype, width, element_shape=[None, channels], clear_after_read=False)


def finished_row(row: tf.TensorArray, like: tf.Tensor) -> tf.Tensor:
    """Returns the row as a tensor `[width, batch, channels]`; `like` sets width and batch size."""
    return tf.ensure_shape(row.stack(), [*like.shape[:2], None])
