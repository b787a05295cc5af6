"""What cannot be right is refused in one sentence, before it changes anything."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.training import GenerativeModel, NonFiniteLossError, TrainingState
from tiny import batches, difference, state


def refused(kind, function, *parts):
    """Checks that `function` raises one sentence of the given kind that holds all of `parts`."""
    with pytest.raises(kind) as caught:
        function()
    text = str(caught.value)
    assert "\n" not in text and len(text) < 400 and text.endswith("."), text
    assert all(re.search(part, text) for part in parts), text


def trainable(model) -> list:
    return [w.path for n in model.networks.values() for w in n.trainable_variables]


def spoiled(trained, value):
    """The data with one bad value in the last image of the first batch."""
    arrays = [np.concatenate(parts) for parts in zip(*map(as_arrays, trained.data), strict=True)]
    # Labels, which have one axis, are no images.
    [images for images in arrays if images.ndim > 1][-1][3].flat[5] = value
    return batches(tuple(arrays))


def as_arrays(batch):
    return [part.numpy() for part in (batch if isinstance(batch, tuple) else (batch,))]


def refuses_values(trained, use, value, shown):
    model, before = trained.model, state(trained.model)
    low, high = model.data_range
    expected = rf"\[{low:g}, {high:g}\] or uint8 in 0\.\.255"
    if high == np.inf:  # counts, of which any number from 0 on is right
        expected = "finite numbers from 0 on"
        value, shown = (-7.0, "from -7 to") if value == 7 else (value, shown)
    refused(ValueError, lambda: use(spoiled(trained, value), verbose=0), shown, expected)
    changed = difference(model, before, state(model))
    # Counts of the metrics and of the steps of an evaluation are no part of training.
    assert not [path for path in changed if path in trainable(model) or path.endswith("step")]


@pytest.mark.parametrize("value, shown", [(7.0, " to 7:"), (np.nan, "nan"), (-np.inf, "from -inf")])
def test_values_out_of_range(trained, value, shown):
    refuses_values(trained, trained.model.fit, value, shown)
    refuses_values(trained, trained.model.evaluate, value, shown)
    trained.model.fit(trained.data, verbose=0)  # The model is none the worse for it.
    assert trained.model.step.numpy() == 2


@pytest.mark.parametrize("value, shown", [(7.0, " to 7:"), (np.nan, "nan")])
def test_values_out_of_range_on_one_of_two_replicas(mirrored, value, shown):
    refuses_values(mirrored, mirrored.model.fit, value, shown)
    mirrored.model.fit(mirrored.data, verbose=0)
    assert mirrored.model.step.numpy() == 2


def test_dtypes_that_are_no_images(tiny, trained):
    model, before = trained.model, state(trained.model)
    bad = "complex64" if model.data_range[1] == np.inf else "int32"  # counts are whole numbers
    data = batches(tuple(images.astype(bad) for images in tiny.data()))
    refused(TypeError, lambda: model.fit(data, verbose=0), bad, "uint8", "float")
    assert difference(model, before, state(model)) == {}
    refused(TypeError, lambda: model.prepare(tf.constant([True])), "bool", "uint8", "float")


def refuses_a_loss_that_is_not_finite(trained, folder):
    model, checkpoints = trained.model, TrainingState(folder)
    model.fit(trained.data, verbose=0, callbacks=[checkpoints])
    (first, *_), *_ = model.players().values()
    weight = first.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan, "float32"))
    before = state(model)
    refused(
        NonFiniteLossError,
        lambda: model.fit(trained.data, verbose=0, callbacks=[checkpoints]),
        r"^\w+ was not finite at step 2, ",
        f"checkpoint: {re.escape(str(checkpoints.latest))}",
    )
    # Batch normalisation has seen the batch; nothing else has changed.
    changed = [path for path in difference(model, before, state(model)) if "/moving_" not in path]
    assert not changed


def test_a_loss_that_is_not_finite(trained, tmp_path):
    refuses_a_loss_that_is_not_finite(trained, tmp_path)


def test_a_loss_that_is_not_finite_on_two_replicas(mirrored, tmp_path):
    refuses_a_loss_that_is_not_finite(mirrored, tmp_path)


def test_nothing_to_train_on(trained):
    model = trained.model
    refused(ValueError, lambda: model.fit(trained.data, steps_per_epoch=0), "steps_per_epoch is 0")
    refused(ValueError, lambda: model.fit(trained.data, epochs=0), "epochs is 0")


def test_optimizers(tiny):
    model = tiny.build(3)
    players = list(model.players())
    good = {name: "adam" for name in players}

    def compiling(**changes):
        return lambda: GenerativeModel.compile(model, **good | changes)

    last = players[-1]
    refused(ValueError, lambda: GenerativeModel.compile(model), *players, r"got \[\]")
    refused(ValueError, compiling(other_optimizer="adam"), *players, "other_optimizer")
    refused(ValueError, compiling(**{last: None}), f"{last} is None", "'adam'")
    refused(ValueError, compiling(**{last: "adamm"}), f"{last} is 'adamm'", "'adam'")
    refused(ValueError, compiling(**{last: 0.001}), f"{last} is 0.001", "'adam'")
    for rate in (-1e-3, np.nan):
        adam = keras.optimizers.Adam(rate)
        refused(ValueError, compiling(**{last: adam}), f"{last} has learning rate {rate:g}")
    if len(players) > 1:
        shared = keras.optimizers.Adam()
        both = {name: shared for name in players}
        refused(ValueError, compiling(**both), "share one optimizer", "its own")
    compiling()()


def test_networks_without_weights(tiny):
    model = tiny.build(3)
    arguments = {name: getattr(model, name) for name in type(model)._arguments()}
    for name in model.networks:
        late = keras.Sequential([keras.layers.Dense(3)], name="late")
        build = lambda network=late, name=name: type(model)(**arguments | {name: network})  # noqa: E731
        refused(ValueError, build, "'late' has no weights yet", r"keras\.Input")


def test_a_player_without_trainable_weights(tiny):
    model = tiny.build(3)
    networks = next(iter(model.players().values()))
    for network in networks:
        network.trainable = False
    model.compile(**{name: "adam" for name in model.players()})
    data = tuple(tf.constant(images[:4]) for images in tiny.data())
    refused(ValueError, lambda: model.train_step(data), networks[0].name, "no trainable weights")
