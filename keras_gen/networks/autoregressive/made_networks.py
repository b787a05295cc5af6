"""The masked networks of MADE (Germain et al. 2015)."""

from collections.abc import Sequence

import keras
import numpy as np
from keras.initializers import RandomNormal

from keras_gen.checked_arguments import checked_arguments
from keras_gen.data import Column
from keras_gen.data.transforms.cells import require_cells
from keras_gen.layers import MaskedDense, RowFeatures
from keras_gen.losses.likelihoods.cells import CellLikelihood


@checked_arguments
def made(
    values: int,
    outputs_per_value: int,
    hidden: tuple[int, ...] = (64, 64),
    activation: str = "relu",
) -> keras.Model:
    """Builds masked dense layers that predict the parameters of each value from previous values.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4. Hidden units are assigned the degrees 1 to `values` - 1 in turn. The
    output biases are initialized with standard normal numbers, so that the components of a mixture
    differ from the start. This is necessary because the parameters of the first value depend only
    on biases.

    Deviations: the degrees are evenly distributed instead of random, there is one ordering of the
    values instead of several, and there is no direct connection from the values to the output.

    Args:
        values: Number of values per example, at least 2.
        outputs_per_value: Number of parameters per value, such as 3 for each component of a
            mixture.
        hidden: Number of units in each hidden layer. If this tuple is empty, the parameters are
            linear in the values.
        activation: Activation of the hidden layers.

    Returns:
        A model that maps float32 `[batch, values]` to float32
        `[batch, values * outputs_per_value]`, in the order `[value, parameter]`. The parameters of
        a value depend only on previous values.

    Example:
        >>> network = made(2, outputs_per_value=30, hidden=(32,))
    """
    if values < 2 or outputs_per_value < 1 or any(units < values - 1 for units in hidden):
        raise ValueError(
            f"made got {values} values, {outputs_per_value} outputs per value, and hidden layers "
            f"{tuple(hidden)}: expected at least 2 values, at least 1 output per value, and at "
            "least values - 1 units in each hidden layer."
        )
    x = inputs = keras.Input((values,))
    seen = np.arange(1, values + 1)
    order = np.repeat(seen, outputs_per_value)
    for units in hidden:
        degrees = np.arange(units) % (values - 1) + 1
        x = MaskedDense(degrees.tolist(), seen.tolist(), activation=activation)(x)
        seen = degrees
    # The parameters are float32, regardless of the internal precision.
    head = MaskedDense(
        order.tolist(),
        seen.tolist(),
        strict=True,
        bias_initializer=RandomNormal(stddev=1.0),
        dtype="float32",
    )
    return keras.Model(inputs, head(x), name="made")


@checked_arguments
def table_made(
    columns: Sequence[Column],
    hidden: tuple[int, ...] = (256, 256),
    any_order: bool = False,
    activation: str = "relu",
) -> keras.Model:
    """Builds the network of `MADE.for_table`, which predicts the parameters of each column's cells.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4, with a connection from the features to the output. The masks apply to
    whole columns: the parameters of a column depend only on the previous columns. With `any_order`,
    there are no masks, and the network predicts the missing columns (Uria, Murray, Larochelle: "A
    Deep and Tractable Density Estimator", ICML 2014, sec. 4). The outputs start at 0, which
    represents the frequencies in the training rows.

    Args:
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`; at least 2.
        hidden: Number of units in each hidden layer.
        any_order: Whether the parameters of a column depend on all other columns.
        activation: Activation of the hidden layers.

    Returns:
        A model that maps cells, float32 `[batch, columns]` with -1 for missing values, to float32
        `[batch, columns * parameters]`, in the order `[column, parameter]`.

    Raises:
        ValueError: If there are fewer than 2 columns, or fewer hidden units than columns.

    Example:
        >>> from keras_gen.data import table_columns
        >>> network = table_made(table_columns({"age": [3, 5], "kind": ["cat", "dog"]}))
    """
    columns = require_cells(columns)
    count = len(columns)
    if count < 2 or any(units < count - 1 for units in hidden):
        raise ValueError(
            f"table_made got {count} columns and hidden={tuple(hidden)}: expected at least 2 "
            f"columns, and at least {max(count - 1, 1)} hidden units per layer."
        )
    inputs = keras.Input((count,))
    features = RowFeatures(columns)
    # If all degrees are equal, the masks have no effect.
    order = np.ones(count, int) if any_order else np.arange(1, count + 1)
    seen = feature_degrees = order[features.places]
    x = first = features(inputs)
    for units in hidden:
        degrees = np.ones(units, int) if any_order else np.arange(units) % (count - 1) + 1
        x = MaskedDense(degrees.tolist(), seen.tolist(), activation=activation)(x)
        seen = degrees
    x = keras.layers.Concatenate()([x, first])
    outputs = np.repeat(order, CellLikelihood(columns).params_per_value)
    head = MaskedDense(
        outputs.tolist(),
        [*seen.tolist(), *feature_degrees.tolist()],
        strict=not any_order,
        kernel_initializer="zeros",
        dtype="float32",
    )
    return keras.Model(inputs, head(x), name="table_made")
