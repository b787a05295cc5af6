"""Evaluation with the exponential moving average of the weights."""

import contextlib

import keras


@contextlib.contextmanager
def averaged_weights(model):
    """Swaps the moving averages of the weights in, and the trained weights back on leaving.

    Averages are those that Keras optimizers keep with `use_ema=True`; networks whose optimizer
    keeps none stay as they are. Training must not go on inside.

    Args:
        model: A compiled `GenerativeModel`.

    Example:
    ```python
    with averaged_weights(model):
        images = model.sample(16)
    ```
    """
    swaps = []
    for name in model.optimizers():
        optimizer = getattr(model, name, None)
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        # Before the first update the averages are zeros.
        if not getattr(optimizer, "use_ema", False) or optimizer.iterations.numpy() == 0:
            continue
        # Those it was built for: layers that were frozen since are among them.
        weights = optimizer._trainable_variables
        swaps += zip(weights, optimizer._model_variables_moving_average, strict=True)
    trained = [keras.ops.convert_to_numpy(weight) for weight, _ in swaps]
    try:
        for weight, average in swaps:
            weight.assign(keras.ops.convert_to_numpy(average))
        yield model
    finally:
        for (weight, _), value in zip(swaps, trained, strict=True):
            weight.assign(value)
