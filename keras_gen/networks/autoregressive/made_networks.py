"""The masked network of MADE (Germain et al. 2015)."""

import keras
import numpy as np
from keras.initializers import RandomNormal

from keras_gen.checked_arguments import checked_arguments
from keras_gen.layers import MaskedDense


@checked_arguments
def made(
    values: int,
    outputs_per_value: int,
    hidden: tuple[int, ...] = (64, 64),
    activation: str = "relu",
) -> keras.Model:
    """Builds dense layers with masks: parameters of each value, given those before it.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4. Hidden units have the degrees 1 to `values` - 1, in turn. The biases of
    the output start as standard normal numbers, so that the parts of a mixture differ from the
    start: those of the first value have nothing but biases.

    Deviations: the degrees are even in place of random, there is one order of the values in place
    of several, and no connection from the values to the output past the hidden layers.

    Args:
        values: Of an example, at least 2.
        outputs_per_value: Parameters of each value, such as 3 for each part of a mixture.
        hidden: Units of the hidden layers; none for parameters that are linear in the values.
        activation: Of the hidden layers.

    Returns:
        A model from float32 `[batch, values]` to float32 `[batch, values * outputs_per_value]`, in
        the order `[value, parameter]`: the parameters of a value depend only on those before it.

    Example:
        >>> network = made(2, outputs_per_value=30, hidden=(32,))
    """
    if values < 2 or outputs_per_value < 1 or any(units < values - 1 for units in hidden):
        raise ValueError(
            f"A network of {values} values with {outputs_per_value} outputs each and hidden layers "
            f"{tuple(hidden)}: expected at least 2 values, 1 output, and values - 1 hidden units."
        )
    x = inputs = keras.Input((values,))
    seen = np.arange(1, values + 1)
    order = np.repeat(seen, outputs_per_value)
    for units in hidden:
        degrees = np.arange(units) % (values - 1) + 1
        x = MaskedDense(degrees.tolist(), seen.tolist(), activation=activation)(x)
        seen = degrees
    # They leave in float32 whatever the precision inside.
    head = MaskedDense(
        order.tolist(),
        seen.tolist(),
        strict=True,
        bias_initializer=RandomNormal(stddev=1.0),
        dtype="float32",
    )
    return keras.Model(inputs, head(x), name="made")
