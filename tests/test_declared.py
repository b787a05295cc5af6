"""Constructors that follow from declared fields."""

import copy
import dataclasses
import inspect
import json
import pickle
import typing

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import LikelihoodModel
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.core.schedules import Linear, Weight
from keras_gen.declared import (
    Count,
    Declared,
    DeclaredLayer,
    Named,
    argument,
    fields_of,
    fixed,
    made_by,
    network,
    networks,
)
from keras_gen.losses import likelihoods
from keras_gen.losses.likelihoods import Likelihood, Normal
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.vae import VAE

ENCODER = mlp_encoder((4,), 2, (), heads=("mean", "log_variance"))
DECODER = mlp_decoder((4,), 2, ())


class Base(LikelihoodModel):
    encoder: keras.Model = network("x -> z z")
    decoder: keras.Model = network("z -> x")
    likelihood: Named[Likelihood] = made_by(likelihoods.get, default="normal")
    beta: Weight = 1.0

    def set_up(self):
        self.edges["x"] = Vectors((4,))
        self.order = ["base"]


class Variant(Base):
    critic: keras.Model = network("z -> logits", kw_only=True)
    size: Count = argument(kw_only=True)
    beta: Weight = fixed(2.0)
    rest: list = networks(default=())
    likelihood: Named[Likelihood] = made_by(likelihoods.get, default="bernoulli", later=True)

    def set_up(self):
        super().set_up()
        self.order.append("variant")


class Kernel(Declared):
    width: Count
    scale: float = 1.0

    def set_up(self):
        if self.scale > self.width:
            raise ValueError(f"scale is {self.scale}: expected at most the width, {self.width}.")


class Wide(Kernel):
    scale: float = 0.5
    tall: bool = False


@keras.saving.register_keras_serializable("test_declared")
class Times(DeclaredLayer):
    factor: float
    kernel: Likelihood | None = None

    def call(self, x):
        return self.factor * x


def critic(**options):
    return mlp_encoder((2,), 1, (), **options)


def test_order_of_arguments_and_what_they_become():
    names = [*inspect.signature(Variant).parameters]
    assert names == "encoder decoder critic size rest likelihood seed kwargs".split()
    assert inspect.signature(Variant).parameters["size"].annotation is int
    model = Variant(ENCODER, DECODER, critic(), 3, [critic()], seed=5, name="mine")
    assert (model.beta, model.size, model.seed, model.name) == (2.0, 3, 5, "mine")
    assert isinstance(model.likelihood, likelihoods.Bernoulli)
    assert model.order == ["base", "variant"]
    assert [*model.get_config()] == [
        "name",
        *"encoder decoder critic size rest likelihood seed".split(),
    ]
    assert isinstance(Base(ENCODER, DECODER, Normal(), Linear(0, 1, 9)).beta, Linear)


@pytest.mark.parametrize(
    "arguments,sentence",
    [
        (dict(encoder="network"), "encoder is 'network': expected a built keras.Model"),
        (dict(encoder=None), "encoder is None: expected a value"),
        (dict(encoder=keras.Sequential([])), "has no weights yet: expected a built"),
        (dict(encoder=critic()), r"has 1 output: expected 2 \(x -> z z\). .*Add an output with"),
        (dict(decoder=mlp_decoder((4,), 3, ())), r"decoder accepts z of shape \(3,\): .*\(2,\)"),
        (dict(decoder=mlp_decoder((5,), 2, ())), r"returns x of shape \(5,\): .* encoder accepts"),
        (dict(critic=ENCODER), r"critic 'encoder' has 2 outputs: .*critic.outputs\[:1\]"),
        (dict(critic=critic(output_activation="sigmoid")), "ends in a sigmoid, but the loss"),
        (dict(size=0), "size is 0: expected an integer of at least 1"),
        (dict(size=2.5), r"size is 2.5: expected an integer"),
        (dict(rest=[3]), "rest is 3: expected a built"),
        (dict(rest=None), "rest is None: expected a value"),
        (dict(likelihood="bernuli"), "Unknown likelihood 'bernuli'"),
        (dict(sizes=1), "Variant got sizes; did you mean size?"),
        (dict(beta=1.0), "Variant does not accept beta, which is always 2.0: leave it out"),
        (dict(seed=-1), "seed is -1: expected an integer from 0 to"),
    ],
)
def test_what_a_model_refuses(arguments, sentence):
    right = dict(encoder=ENCODER, decoder=DECODER, critic=critic(), size=3)
    with pytest.raises((TypeError, ValueError), match=sentence):
        Variant(**right | arguments)


@pytest.mark.parametrize(
    "make,sentence",
    [
        (lambda: Kernel(), "Kernel lacks width: add width=... to the arguments"),
        (lambda: Kernel(2, 1.0, 3), "Kernel: too many positional arguments. Expected the argum"),
        (lambda: Kernel(2, width=3), "Kernel: multiple values for argument 'width'"),
        (lambda: Kernel(2, high=3), "Kernel got high: expected width, scale"),
        (lambda: Kernel(2, scales=3), "Kernel got scales; did you mean scale?"),
        (lambda: Kernel(2, "big"), "scale is 'big': expected a number"),
        (lambda: Kernel(2, 3.0), "scale is 3.0: expected at most the width, 2"),
        (lambda: Times(), "Times lacks factor"),
        (lambda: Times(2.0, 3), "kernel is 3: expected a Likelihood"),
        (lambda: Items(items="ab"), "items is 'ab': expected a list"),
        (lambda: Items(items=3), "items is 3: expected a list"),
        (lambda: Items(beta=10**400), "beta is 1000.*: expected a finite number"),
        (lambda: Items(beta=np.array("a")), "beta is .*: expected a finite number"),
    ],
)
def test_what_objects_and_layers_refuse(make, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        make()


def test_objects_of_equal_arguments_are_equal_and_never_change():
    assert Kernel(2) == Kernel(width=2, scale=1) != Kernel(3)
    assert repr(Wide(2, tall=True)) == "Wide(width=2, scale=0.5, tall=True)"
    assert {Wide(2): 1}[Wide(2)] == 1
    with pytest.raises(AttributeError, match="cannot assign to field 'width'"):
        Kernel(2).width = 3


class Holder(Declared):
    value: typing.Any = None


@pytest.mark.parametrize(
    "make,other",
    [
        (lambda: np.array([1.0, 2.0]), np.array([1.0, 3.0])),
        (lambda: np.ones([2, 1]), np.ones([1, 2])),
        (lambda: tf.constant([1, 2]), tf.constant([2, 1])),
        (lambda: [1, np.zeros(2)], [1, np.ones(2)]),
        (lambda: {"a": np.zeros(2)}, {"b": np.zeros(2)}),
        (lambda: Holder(np.zeros(2)), Holder(np.zeros(3))),
        (lambda: "text", None),
    ],
)
def test_objects_are_compared_by_the_numbers_in_their_arguments(make, other):
    one = Holder(make())
    same = [Holder(make()), copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))]
    for each in same:
        assert each == one and hash(each) == hash(one)
    assert one != Holder(other) and one != "text"


def test_a_layer_is_saved_by_its_arguments():
    layer = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Times(3.0)))
    assert layer.factor == 3.0 and layer.kernel is None
    assert float(layer(keras.ops.ones([1]))[0]) == 3.0


def test_a_class_below_one_that_writes_its_constructor_declares_nothing():
    class Written(Base):
        def __init__(self, encoder, decoder, **kwargs):
            super().__init__(encoder, decoder, beta=3.0, **kwargs)

    class Inherits(Written):
        pass

    assert Inherits(ENCODER, DECODER).beta == 3.0
    with pytest.raises(TypeError, match="Below declares size, but its base class Written defines"):

        class Below(Written):
            size: Count = 3


def test_fields_are_found_in_the_order_of_the_constructor():
    assert [*fields_of(Wide)] == ["width", "scale", "tall"]


def copied(network):
    return keras.models.clone_model(network)


class MakesADecoder(Base):
    def __init__(self, encoder, **kwargs):
        super().__init__(encoder, copied(DECODER), **kwargs)


class Forwards(Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Strict(Base):
    def __init__(self, encoder, decoder):
        super().__init__(encoder, decoder, beta=7.0)


class Mixin:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.mixed = True


class HasWidth(typing.Protocol):
    width: int


class Plain:
    pass


class MixedModel(Mixin, Base):
    pass


class MixedLayer(Mixin, Times):
    pass


class WithoutSuper(Base):
    def set_up(self):
        self.order = []


@pytest.mark.parametrize("arguments", [dict(inputs=1, outputs=2), dict(outputs=2)])
def test_functional_arguments_are_refused_and_change_no_class(arguments):
    with pytest.raises(TypeError, match="Base got inputs or outputs: leave these arguments out"):
        Base(ENCODER, DECODER, **arguments)
    assert Base(ENCODER, DECODER).seed == 0


@pytest.mark.parametrize(
    "make,beta",
    [
        (lambda: MakesADecoder(ENCODER, beta=3.0), 3.0),
        (lambda: Forwards(ENCODER, DECODER, "normal", 3.0), 3.0),
        (lambda: MixedModel(ENCODER, DECODER, "normal", 3.0), 3.0),
        (lambda: Strict(ENCODER, DECODER), 7.0),
    ],
)
def test_a_model_with_a_constructor_of_its_own_trains_all_networks_and_is_saved(make, beta):
    model = make()
    assert [*model.networks] == ["encoder", "decoder"]
    assert len(model.players()["optimizer"].networks) == 2
    again = type(model).from_config(model.get_config())
    assert again.beta == beta and getattr(again, "mixed", False) == isinstance(model, Mixin)


def test_the_constructor_of_a_mixin_of_layers_runs():
    assert MixedLayer(2.0).mixed and MixedLayer(2.0).factor == 2.0


def test_a_model_that_is_not_trainable_has_frozen_networks():
    networks = copied(ENCODER), copied(DECODER)
    assert not any(
        network.trainable for network in Base(*networks, trainable=False).networks.values()
    )


class WithoutLatents(VAE):
    def set_up(self):
        self.edges["x"] = Vectors((4,))


class Undescribed(LikelihoodModel):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder


@pytest.mark.parametrize(
    "model,missing",
    [
        (lambda: WithoutSuper(ENCODER, DECODER), "x"),
        (lambda: WithoutLatents(ENCODER, DECODER), "latents"),
        (lambda: Undescribed(ENCODER, DECODER).fit(np.zeros([2, 4])), "x"),
    ],
)
def test_a_model_that_does_not_describe_its_data_is_refused(model, missing):
    sentence = (
        rf"describe its data \({missing}\): call super\(\).set_up\(\) .*self.edges\['{missing}'\]"
    )
    with pytest.raises(ValueError, match=sentence):
        model()


@pytest.mark.parametrize("base", [Base, Times, Kernel])
def test_a_mixin_whose_constructor_would_never_run_is_refused(base):
    with pytest.raises(
        TypeError, match=r"B has the base class Mixin last, .*Write class B\(Mixin, "
    ):
        type("B", (base, Mixin), {})
    assert type("B", (base, HasWidth, Plain), {})


@pytest.mark.parametrize(
    "base,field,kind,value,sentence",
    [
        (
            Base,
            "beta",
            None,
            5.0,
            "B.beta is 5.0, but beta is an argument of its base class: annotate",
        ),
        (Times, "factor", None, 5.0, "B.factor is 5.0, but"),
        (Kernel, "scale", None, 5.0, "B.scale is 5.0, but"),
        *(
            (Base, name, int, 3, f"B declares {name}, a name that its base")
            for name in ("seed", "step")
        ),
        *(
            (Base, name, int, 3, f"B declares {name}, a name that its base")
            for name in ("optimizer", "layers")
        ),
        (Times, "dtype", str, "float32", "B declares dtype, a name that its base"),
        (Kernel, "set_up", int, 3, "B declares set_up, a name that its base"),
        (Base, "beta", Weight, fixed("nonsense"), "beta is 'nonsense': expected a finite number"),
        (Base, "scale", float, fixed("nonsense"), "scale is 'nonsense': expected a number"),
        (Kernel, "size", Count, 0, "size is 0: expected an integer of at least 1"),
    ],
)
def test_what_a_class_must_not_declare(base, field, kind, value, sentence):
    annotations = {} if kind is None else {field: kind}
    with pytest.raises((TypeError, ValueError), match=sentence):
        type("B", (base,), {field: value, "__annotations__": annotations})


def test_a_mixin_with_a_constructor_takes_no_further_arguments():
    with pytest.raises(TypeError, match="B declares size, but its base class Mixin defines"):
        type("B", (Mixin, Base), {"size": 3, "__annotations__": {"size": Count}})


class Items(Declared):
    items: list = ()
    beta: Weight = 1.0
    made: list = dataclasses.field(default_factory=lambda: [1])
    table: dict = dataclasses.field(default_factory=dict)


class StrictLayer(Times):
    def __init__(self, factor):
        super().__init__(factor)


def test_a_layer_with_a_constructor_of_its_own_is_saved():
    assert StrictLayer.from_config(StrictLayer(3.0).get_config()).factor == 3.0


def test_every_object_has_its_own_default_of_a_factory():
    first, second = Items(), Items()
    first.made.append(2)
    first.table["a"] = 1
    assert (second.made, second.table, Items(made=(3,)).made) == ([1], {}, [3])
    assert [*fields_of(Items)] == ["items", "beta", "made", "table"]


@pytest.mark.parametrize("three", [3.0, np.int64(3), np.array(3), tf.constant(3)])
def test_numbers_without_an_axis_are_numbers(three):
    assert Items(items=(three,), beta=three).beta == 3.0
    schedule = Linear(0.0, three, three)
    assert json.loads(json.dumps(schedule.get_config()))["steps"] == 3
    with pytest.raises(ValueError, match="scale is inf: expected a finite number"):
        Kernel(three if isinstance(three, np.int64) else 3, 10**400)
