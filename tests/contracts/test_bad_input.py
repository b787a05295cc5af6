"""Invalid input is rejected with an error of one line, before it changes anything."""

import re

import keras
import numpy as np
import pytest

import keras_gen
from keras_gen.core import NonFiniteLossError, TrainingState
from keras_gen.core.kinds_of_data import (
    Characters,
    Images,
    Labels,
    Levels,
    MuLaw,
    Rows,
    StandardizedVectors,
    Table,
    Texts,
    Vectors,
    Waveforms,
)
from keras_gen.fairness import VFAE
from keras_gen.testing import check_model
from keras_gen.vae import VAE, GumbelVAE, StyleIdentityVAE
from keras_gen.vae.hierarchies.hierarchy import HierarchicalVAE
from tiny import (
    batches,
    core,
    data,
    difference,
    first_batch,
    given_examples,
    players,
    prepared,
    state,
)


class Prepared(Exception):
    """Ends a method after its data was prepared."""


def stop(*values):
    raise Prepared


def refused(kind, function, *parts):
    """Checks that `function` raises an error of this type and of one line with all `parts`."""
    with pytest.raises(kind) as caught:
        function()
    text = str(caught.value)
    assert "\n" not in text and len(text) < 400 and text.endswith("."), text
    assert all(re.search(part, text) for part in parts), text


def trainable(model) -> list:
    return [w.path for n in model.networks.values() for w in n.trainable_variables]


# What each kind of data refuses: (bad value, how it is shown).
NUMBERS = [(7.0, " to 7:"), (np.nan, "nan"), (-np.inf, "from -inf")]
BAD_VALUES = {
    Characters: [(300, " to 300:"), (-2, "from -2 to")],
    Images: NUMBERS,
    Levels: [(300, " to 300:"), (-1, "from -1 to")],
    Labels: [(99, " to 99:"), (-2, "from -2 to")],
    MuLaw: [],  # every int16 is a sound
    StandardizedVectors: [(np.nan, "nan"), (np.inf, "inf")],
    Rows: [(5000.0, "contain 5000:"), (-2.0, "contain -2:"), (np.nan, "contain nan:")],
    Table: [(np.nan, "nan"), (-np.inf, "-inf")],
    Texts: [(-7.0, "from -7 to"), (np.nan, "nan"), (np.inf, " to inf:")],
    Vectors: [],
    Waveforms: NUMBERS,
}


def spoiled(trained, number, value):
    """The data with one bad value in the last example of the first batch of one array."""
    arrays = list(prepared(trained.model))
    arrays[number] = arrays[number].copy()
    arrays[number][3:4].flat[-1] = value
    return batches(tuple(arrays))


def refuses_values(trained, use, most=None):
    model, before = trained.model, state(trained.model)
    for number, name in enumerate(model.batch):
        for value, shown in BAD_VALUES[type(model.edges[name])][:most]:
            data = spoiled(trained, number, value)
            refused(ValueError, lambda data=data: use(data, verbose=0), shown, "expected")
    changed = difference(model, before, state(model))
    # Counts of the metrics and of the steps of an evaluation are no part of training.
    assert not [path for path in changed if path in trainable(model) or path.endswith("step")]


def test_values_out_of_range(trained):
    refuses_values(trained, trained.model.fit)
    refuses_values(trained, trained.model.evaluate, 1)
    trained.model.fit(trained.data, verbose=0)  # The model is none the worse for it.
    assert trained.model.step.numpy() == 2


@core
def test_values_out_of_range_on_one_of_two_replicas(mirrored):
    refuses_values(mirrored, mirrored.model.fit, 2)
    mirrored.model.fit(mirrored.data, verbose=0)
    assert mirrored.model.step.numpy() == 2


@core
def test_a_last_batch_that_leaves_a_replica_without_examples(mirrored):
    model = mirrored.model
    five = [np.concatenate([array, array[:1]]) for array in data(model, 4)]
    before = model.step.numpy()
    use = lambda: model.fit(*five, batch_size=4, shuffle=False, verbose=0)  # noqa: E731
    sentence = "last batch has fewer examples than there are replicas .2.: drop this"
    if getattr(model, "discriminator_steps", 1) > 1:
        sentence = "with 2 replicas, choose a batch size that is a multiple of 4"
    refused(ValueError, use, sentence)
    assert model.step.numpy() == before + 1


def test_bits_where_levels_are_meant(model, monkeypatch, rng):
    """Every method of images warns about them, as `fit` does."""
    monkeypatch.setattr(type(model), "graph", lambda *_: stop)
    for name in model.signatures():
        method = getattr(type(model), name, None)
        for asked in getattr(method, "takes", lambda model: ())(model):
            edge = model.edges[asked]
            if not (isinstance(edge, Images) and len(edge.shape) == 3):
                continue
            given = {n: given_examples(model.edges[n], 2, rng) for n in method.takes(model)}
            given[asked] = given[asked] % 2
            with pytest.warns(UserWarning, match="uint8 with values 0 and 1.* by 255"):
                with pytest.raises(Prepared):
                    method(model, **given)


def test_missing_and_surplus_arrays(trained):
    model = trained.model
    array = first_batch(model)[0]
    few = (array,) * (len(model.batch) - 1)
    many = (array,) * (max(len(model.batch), 2) + 1)
    for arrays in (few, many):
        refused(ValueError, lambda a=arrays: model.prepare_batch(a), f"got {len(arrays)} arrays")


def refuses_a_loss_that_is_not_finite(trained, folder, monkeypatch):
    model, checkpoints = trained.model, TrainingState(folder)
    model.fit(trained.data, verbose=0, callbacks=[checkpoints])
    (first, *_), *_ = players(model).values()
    weight = first.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan, "float32"))
    before = state(model)
    # Found before anything is computed with it.
    refused(NonFiniteLossError, lambda: model.fit(trained.data, verbose=0), "weight", "not finite")
    monkeypatch.setattr(keras_gen.core.fit, "check_weights", lambda model: None)
    refused(
        NonFiniteLossError,
        lambda: model.fit(
            trained.data, verbose=0, epochs=2, initial_epoch=1, callbacks=[checkpoints]
        ),
        r"^\w+('s gradient)? was not finite at step 2, ",
        f"checkpoint: {re.escape(str(checkpoints.latest))}",
    )
    # Batch normalization has seen the batch, power iterations went on, calls of layers that draw
    # were counted; nothing else has changed.
    goes_on = re.compile("/moving_|/direction$|/calls$")
    assert not [p for p in difference(model, before, state(model)) if not goes_on.search(p)]
    directions = [v for v in model.variables if v.path.endswith("/direction")]
    assert all(np.isfinite(v.numpy()).all() for v in directions)


def test_a_loss_that_is_not_finite(trained, tmp_path, monkeypatch):
    refuses_a_loss_that_is_not_finite(trained, tmp_path, monkeypatch)


@core
def test_a_loss_that_is_not_finite_on_two_replicas(mirrored, tmp_path, monkeypatch):
    refuses_a_loss_that_is_not_finite(mirrored, tmp_path, monkeypatch)


@core
def test_nothing_to_train_on(trained):
    model = trained.model
    refused(ValueError, lambda: model.fit(trained.data, steps_per_epoch=0), "steps_per_epoch is 0")
    refused(ValueError, lambda: model.fit(trained.data, epochs=0), "epochs is 0")
    none = [array[:0] for array in data(model)]
    refused(ValueError, lambda: model.fit(*none), "no examples")


@core
def test_examples_of_another_size_after_the_first(trained):
    model = trained.model
    model.fit(trained.data, verbose=0)
    long = [np.concatenate([array, array], axis=1) for array in prepared(model)]
    refused(ValueError, lambda: model.fit(batches(tuple(long)), verbose=0), "shape", r"expected \[")


@core
def test_weights_of_examples_and_classes(trained):
    arrays, model = data(trained.model), trained.model
    ones = np.ones(len(arrays[0]))
    refused(ValueError, lambda: model.fit(*arrays, sample_weight=ones), "got sample_weight")
    refused(ValueError, lambda: model.fit(*arrays, class_weight={0: 1.0}), "got class_weight")
    refused(ValueError, lambda: model.evaluate(*arrays, sample_weight=ones), "got sample_weight")


@core
def test_arguments_that_the_step_has_read(trained, tiny):
    model = trained.model
    for name in model.arguments():
        value = getattr(model, name)
        refused(AttributeError, lambda n=name, v=value: setattr(model, n, v), f"^{name} cannot")
    other = tiny.compiled()
    other.make_train_function()  # not traced
    refused(AttributeError, lambda: setattr(other, "seed", 4), "^seed cannot")
    other.compile(**{name: "adam" for name in players(other)})
    other.seed = other.seed + 1


@core
def test_optimizers(tiny):
    model = tiny.build(3)
    names = list(players(model))
    last = names[-1]

    def compiling(**optimizers):
        return lambda: model.compile(**optimizers)

    refused(ValueError, compiling(other_optimizer="adam"), *names, "other_optimizer")
    refused(ValueError, compiling(**{last: "adamm"}), f"{last} is 'adamm'", "'adam'")
    refused(ValueError, compiling(**{last: 0.001}), f"{last} is 0.001", "'adam'")
    for rate in (-1e-3, np.nan):
        adam = keras.optimizers.Adam(rate)
        refused(ValueError, compiling(**{last: adam}), f"{last} has learning rate {rate:g}")
    if len(names) > 1:
        shared = keras.optimizers.Adam()
        both = {name: shared for name in names}
        refused(ValueError, compiling(**both), "share one optimizer", "a separate optimizer")
    # Those left out are the paper's.
    model.compile(**{names[0]: "sgd"})
    assert isinstance(getattr(model, names[0]), keras.optimizers.SGD)
    for name in names[1:]:
        found, expected = getattr(model, name), model.players()[name].optimizer()
        assert type(found) is type(expected)
        assert float(found.learning_rate) == float(expected.learning_rate)


def test_arguments_that_cannot_be_right(model):
    assert check_model(model) > 50


def test_networks_without_weights(model):
    arguments = {name: getattr(model, name) for name in model.arguments()}
    for name in model.networks:
        late = keras.Sequential([keras.layers.Dense(3)], name="late")
        replaced = name if name in arguments else name.rpartition("_")[0]
        value = late if name in arguments else list(arguments[replaced])
        if value is not late:  # one of a list
            value[int(name.rpartition("_")[2])] = late
        build = lambda name=replaced, value=value: type(model)(**arguments | {name: value})  # noqa: E731
        refused(ValueError, build, "'late' has no weights yet", r"keras\.Input")


LOGITS = {
    "discriminator",
    "discriminator_x",
    "discriminator_y",
    "image_discriminator",
    "classifier",
}
MAKERS = {"generator", "generator_xy", "generator_yx", "generator_x", "generator_y", "decoder"}
NORMALS = (VAE, VFAE, HierarchicalVAE, StyleIdentityVAE)
# Networks that end in means and log variances, or start with them in a list of networks.
OF_NORMALS = {
    "encoder",
    "prior",
    "upper_encoder",
    "upper_decoder",
    "bottom_up",
    "lateral",
    "top_down",
}


def list_of(value):
    return value if isinstance(value, list) else [value]


def test_networks_whose_last_activation_leaves_out_values(model):
    arguments = {name: getattr(model, name) for name in model.arguments()}
    likelihood = getattr(model, "likelihood", None)
    logits = LOGITS | ({"decoder"} if getattr(likelihood, "logits", False) else set())
    wrong = [(name, "sigmoid", "but the loss applies this function") for name in logits]
    wrong += [(name, "tanh", "expected logits, which are unbounded") for name in logits]
    # Of (-1, 1): images of which a sigmoid makes the bright half alone.
    span = model.edges["x"].span if likelihood is None else likelihood.parameter_range
    if span is not None and "decoder" not in logits:
        wrong += [(name, "sigmoid", "whose values range from 0 to 1: expected") for name in MAKERS]
    if isinstance(model, NORMALS) and not isinstance(model, GumbelVAE):
        words = "expected (means and log variances|logits), which are unbounded"
        wrong += [(name, "relu", words) for name in OF_NORMALS]
    for name, activation, words in wrong:
        if not arguments.get(name):
            continue
        network, *others = list_of(arguments[name])
        outputs = [
            keras.layers.Activation(activation, name=f"last_{i}")(output)
            for i, output in enumerate(network.outputs)
        ]
        replaced = keras.Model(network.inputs, outputs, name="squashed")
        if isinstance(arguments[name], list):
            replaced = [replaced, *others]
        build = lambda name=name, value=replaced: type(model)(**arguments | {name: value})  # noqa: E731
        refused(ValueError, build, rf"'squashed' ends in .*{activation}.*{words}")
