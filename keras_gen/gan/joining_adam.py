"""Adam for networks that grow during training."""

import keras
from typing_extensions import override

from keras_gen.keras_internals import index_of, largest_square, moments


@keras.saving.register_keras_serializable("keras_gen")
class JoiningAdam(keras.optimizers.Adam):
    """Adam for growing networks: weights that are added later are updated as with a new optimizer.

    Kingma, Ba: "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1, where t counts
    *each weight's own* updates. Keras counts the optimizer's steps: when a weight is added late,
    its moments are still zero, but the bias correction has already vanished. Under a constant
    gradient, its first move is (1 - beta_1) / sqrt(1 - beta_2) times too large: 3.2 with the
    defaults, and 10 with beta_1=0 and beta_2=0.99, as in progressive growing.

    A weight is updated if its gradient is passed to `apply`. Build the optimizer with all weights,
    and pass the weights that are currently used to `minimize`. If all weights are always used, this
    optimizer is equivalent to `keras.optimizers.Adam`.

    Deviation: as in Keras, epsilon is the "epsilon hat" at the end of sec. 2. The averages of
    `use_ema` start at the optimizer's first step, for all weights.

    Args:
        *args, **kwargs: See `keras.optimizers.Adam`.

    Attributes:
        updates: Number of updates of each weight, in the order of `build`; int64 scalars.

    Example:
    ```python
    optimizer = JoiningAdam(1e-3, beta_1=0.0, beta_2=0.99)
    optimizer.build(network.trainable_variables)
    minimize(loss, optimizer, part_in_use)
    [int(count) for count in optimizer.updates]  # 1 for weights in use, 0 for others
    ```
    """

    @override
    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        # Like the moments, the counters have no aggregation: every replica updates its own copy.
        self.updates = [self.add_variable((), dtype="int64", name="updates") for _ in var_list]

    @override
    def update_step(self, gradient, variable, learning_rate):
        index = index_of(self, variable)
        ops = keras.ops
        m, v = moments(self, index)
        count = self.updates[index]
        rate = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        beta_1 = ops.cast(self.beta_1, variable.dtype)
        beta_2 = ops.cast(self.beta_2, variable.dtype)
        self.assign_add(count, 1)
        t = ops.cast(count, variable.dtype)
        alpha = rate * ops.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        # Where the gradient may be sparse, this method uses functions instead of operators.
        self.assign_add(m, ops.subtract(g, m) * (1 - self.beta_1))
        self.assign_add(v, ops.subtract(ops.square(g), v) * (1 - self.beta_2))
        if self.amsgrad:
            largest = largest_square(self, index)
            self.assign(largest, ops.maximum(largest, v))
            v = largest
        self.assign_sub(variable, m * alpha / (ops.sqrt(v) + self.epsilon))
