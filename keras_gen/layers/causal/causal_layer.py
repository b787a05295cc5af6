"""The base of causal layers, which a sampler computes place by place."""

import tensorflow as tf

from keras_gen.declared import DeclaredLayer


class CausalLayer(DeclaredLayer):
    """Base of the layers whose output at a place depends on the inputs at places before it.

    Places are pixels, row by row and from left to right, or the times of a sequence, which is one
    row. `call` computes all places at once, as in training. A sampler cannot wait for the whole
    input, so it computes the same outputs place by place (`keras_gen.autoregressive.Walker`): the
    cache holds what the layer still needs of the inputs before. Caches are structures of tensors
    and `tf.TensorArray`s, and in a graph a step never changes the cache that it is given.

    Attributes:
        sees_itself: Whether the output at a place depends on the whole input there. A network has
            layers that do not between the values and what predicts them.
        by_rows: Whether the output at a place depends on whole rows of the input, so that it is
            computed once for each row: on the rows above, and on its own if `sees_itself`.

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
        """Returns the weights as the steps need them, in the compute dtype: computed once."""
        return ()

    def empty_cache(self, weights, batch: tf.Tensor, width: tf.Tensor):
        """Returns the cache before the first place.

        Args:
            weights: From `step_weights`.
            batch: Int32, the number of examples.
            width: Int32, the number of places in a row.
        """
        return ()

    def step(self, weights, cache, x: tf.Tensor, column) -> tuple:
        """Returns the output at the next place, and the cache after it.

        Args:
            weights: From `step_weights`.
            cache: From the step before, `next_row` or `empty_cache`.
            x: The input there, `[batch, channels]`; if `by_rows`, of the row, `[batch, width,
                channels]`. What the layer does not see of it may still change, and then the same
                step is taken again for the cache.
            column: Int32, the place in its row; None if `by_rows`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step.")

    def next_row(self, weights, cache):
        """Returns the cache at the start of the next row; not called if `by_rows`."""
        return cache


def empty_row(dtype, width, channels: int) -> tf.TensorArray:
    """A row to be written pixel by pixel, `[batch, channels]` each."""
    return tf.TensorArray(dtype, width, element_shape=[None, channels], clear_after_read=False)


def finished_row(row: tf.TensorArray, like: tf.Tensor) -> tf.Tensor:
    """Returns the row that is written, `[width, batch, channels]`: as long as like, as many."""
    return tf.ensure_shape(row.stack(), [*like.shape[:2], None])
