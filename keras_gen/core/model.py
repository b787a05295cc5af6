"""The base of every model: players, randomness, reports, edges, capabilities, configuration."""

import contextlib
import copy
import dataclasses
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast, dataclass_transform

import keras
import tensorflow as tf
from typing_extensions import override

import keras_gen
from keras_gen import declared
from keras_gen.arguments import checked_flag, checked_path, checked_seed, refuse_masked
from keras_gen.core import capabilities, noise, schedules
from keras_gen.core.batches import TARGET, in_order, named_parts, with_examples
from keras_gen.core.checks.before_compile import check_compile, refuse_shared_layers
from keras_gen.core.checks.before_training import require_edges
from keras_gen.core.checks.network_shapes import require_shapes
from keras_gen.core.distribution.replicas import replica_count
from keras_gen.core.fit import (
    EvaluateCall,
    FitCall,
    PredictCall,
    TestOnBatchCall,
    TrainOnBatchCall,
)
from keras_gen.core.kinds_of_data import Edge, Labels
from keras_gen.core.minimize import minimize, trainable_weights
from keras_gen.core.optimizers import replaced
from keras_gen.core.players import Player, built_optimizer
from keras_gen.core.step import as_step, inside, refuse_training, running
from keras_gen.keras_internals import CALLED_BY_FIT, own_metrics
from keras_gen.messages import older_likelihood
from keras_gen.tensor_checks import require

# Class methods that build a model, which is found by them where its networks were left out.
DOORS = ("for_images", "for_vectors", "for_videos", "for_table", "for_coder", "from_source")


def _builders(cls: type) -> list[str]:
    """The names of a class's own methods that build models, without those that only refuse."""
    own = {name: vars(cls)[name].__func__ for name in DOORS if name in vars(cls)}
    return [n for n, builder in own.items() if builder.__annotations__.get("return") != NoReturn]


def _finish(model) -> None:
    """Checks the networks of a model, freezes them if it is not trainable, and sets the rest up."""
    require_shapes(model)
    if not model.trainable:
        for network in model.networks.values():
            network.trainable = False
    model.set_up()
    require_edges(model)


class ReportedMean(keras.metrics.Mean):
    """A running mean that is NaN without any value, such as an accuracy without any label."""

    @override
    def result(self):
        return tf.where(self.count.value > 0, super().result(), math.nan)


@dataclass_transform(
    field_specifiers=(
        declared.argument,
        declared.fixed,
        declared.made_by,
        declared.network,
        declared.networks,
    )
)
class GenerativeModel(keras.Model):
    """Base of all models: which optimizer trains which networks, and what every step needs.

    A subclass declares its arguments as fields (see `keras_gen.declared`), which `get_config` and
    `.keras` files use, and defines its `players`, the edges of its data (`edges`, in `set_up`), the
    weights of its losses (`loss_weights`), and one step (`train_step`). The model itself computes
    in float32; its networks compute in the policy they were built in.

    Args:
        seed: Seed of all randomness in the steps.
        standardize: Whether examples, which must be vectors, are standardized by their means and
            deviations in the first training. Results and scores are in the units of the data.
        **kwargs: `name` and the like, of `keras.Model`.
    """

    # What `fit` takes, by the names of the edges, in order; and those of them that x depends on.
    # Not annotated, because annotated attributes are arguments.
    batch = cast(tuple[str, ...], ("x",))
    given = cast(tuple[str, ...], ())
    # Arguments that are networks which are saved with the model and never trained, as a teacher.
    frozen: ClassVar[tuple[str, ...]] = ()
    # Whether second examples, the y of `fit`, are what is reconstructed of x.
    reconstructs_pairs = False
    # Whether `log_prob` of vectors has no upper bound where a column repeats values.
    density_of_vectors = False
    # The names of what the optimizers minimize.
    totals: ClassVar[tuple[str, ...]] = ("loss",)
    # The capability that Keras' `predict` gives of examples as their edges take them.
    predicts: ClassVar[str | None] = None
    _xla = False  # whether it compiles losses and gradients, as `compile` was told
    # Arguments that have another name in files of earlier versions: old name -> new name.
    renamed: ClassVar[dict[str, str]] = {}
    # What the constructor stores beside the arguments that a subclass declares.
    _stored = (
        *("seed", "standardize", "name", "dtype", "trainable", "started_from"),
        *("edges", "training_edges", "step", "evaluation_step"),
        *("optimizer", "compiled", "history", "stop_training"),
    )

    if TYPE_CHECKING:  # every constructor accepts these by name
        seed: int = declared.argument(default=0, kw_only=True)
        standardize: bool = declared.argument(default=False, kw_only=True)
        name: str = declared.argument(default="", kw_only=True)
        dtype: Any = declared.argument(default="float32", kw_only=True)

    def __new__(cls, *args, **kwargs):
        """Remembers which arguments were given, for `get_config`."""
        if keras.config.image_data_format() != "channels_last":
            raise ValueError(
                f"Keras' image_data_format is '{keras.config.image_data_format()}': images here "
                "have their channels last; call "
                "keras.config.set_image_data_format('channels_last') before networks are built."
            )
        model = super().__new__(cls, *args, **kwargs)
        parameters = declared.named_parameters(cls)
        given = [*declared.names_by_place(cls)[: len(args)], *kwargs]
        needed = [name for name, each in parameters.items() if each.default is each.empty]
        if missing := [name for name in needed if name not in given]:
            if given:
                # Perhaps by a builder, which makes the usual networks and passes on the rest.
                raise TypeError(
                    f"{cls.__name__} lacks {', '.join(missing)}: add {missing[0]}=... to the "
                    "arguments."
                )
            # Of the nearest class that has some: its own builder replaces those it inherits.
            own = (_builders(base) for base in cls.__mro__)
            doors = [f"{cls.__name__}.{door}" for door in next(filter(None, own), [])]
            way_out = f"; {' or '.join(doors)} builds it with usual ones" if doors else ""
            raise TypeError(f"{cls.__name__} lacks {', '.join(missing)}{way_out}.")
        object.__setattr__(model, "_given_arguments", given)
        return model

    def __init__(self, seed: int = 0, standardize: bool = False, **kwargs):
        if kwargs.keys() & {"inputs", "outputs"}:  # Keras would change the bases of all models
            raise TypeError(
                f"{type(self).__name__} got inputs or outputs: leave them out, because its "
                "networks define them."
            )
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.seed = checked_seed(seed)
        self.standardize = checked_flag("standardize", standardize)
        # What the weights were trained on before, of a model that `keras_gen.load` has loaded.
        self.started_from = ""
        self.edges: dict = {}
        # Those of data that training takes in another form than use, by the names of `edges`.
        self.training_edges: dict = {}
        # Aggregation: every replica adds the same one.
        counter = dict(
            shape=(), dtype="int64", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip
        self.step = self.add_weight(name="step", **counter)
        self.evaluation_step = self.add_weight(name="evaluation_step", **counter)
        # The networks arrive built; the model itself owns nothing that waits for data.
        self.built = True
        # Keras would choose XLA for a model that is not compiled.
        self.jit_compile = False

    def set_up(self) -> None:
        """Makes what follows from the arguments: edges, state, checks of arguments together."""

    @override
    def __setattr__(self, name, value):
        steps = (getattr(self, step, None) for step in ("train_function", "test_function"))
        if any(step is not None for step in steps) and name in self.arguments():
            raise AttributeError(
                f"{name} cannot change now, for the compiled step has read it: give a schedule "
                "(keras_gen.core.schedules) to the constructor, or compile, assign and fit."
            )
        # The constructor checks arguments before it stores them. Networks can be wrapped later.
        field = getattr(type(self).__init__, "fields", {}).get(name)
        if field is not None and name in self.__dict__ and "shapes" not in field.metadata:
            value = declared.checked(field, value)
        if "_graphs" in self.__dict__ and name in self.arguments():
            self._graphs.clear()  # they have read the value before
        super().__setattr__(name, value)

    @override
    def __dir__(self):
        """Shows what users call, without what only methods override and steps use."""
        classes = type(self).__mro__
        marked = {
            n
            for c in classes
            for n, value in vars(c).items()
            if capabilities.is_for_users(value)
        }
        shown = {*dir(keras.Model), *vars(self), *DOORS, *marked}
        return [name for name in super().__dir__() if name.startswith("_") or name in shown]

    # Configuration ---------------------------------------------------------------------------

    @override
    def get_config(self) -> dict:
        refuse_shared_layers(self)
        named = declared.accepts(type(self), "name")
        config: dict[str, Any] = {"name": self.name} if named else {}
        for argument in self.arguments():
            value = getattr(self, argument)
            config[argument] = keras.saving.serialize_keras_object(value)
        if self.started_from:
            config["started_from"] = self.started_from
        if self.class_names:
            config["class_names"] = list(self.class_names)
        columns = {name: getattr(edge, "columns", ()) for name, edge in self.edges.items()}
        if any(columns.values()):
            config["column_names"] = {name: list(of) for name, of in columns.items() if of}
        return config

    @override
    @classmethod
    def from_config(cls, config: dict):
        config = copy.deepcopy(config)  # Keras empties what it reads.
        class_names = config.pop("class_names", ())
        column_names = config.pop("column_names", {})
        started_from = config.pop("started_from", "")
        arguments = {}
        for name, value in config.items():
            name = cls.renamed.get(name, name)
            arguments[name] = keras.saving.deserialize_keras_object(value)
        model = cls(**arguments)
        model.started_from = started_from
        if class_names:
            model.name_classes(class_names)
        for edge, names in column_names.items():
            model.edges[edge].columns = tuple(names)
        return model

    def arguments(self) -> list[str]:
        """Returns the constructor's arguments, and those of its bases that can be given."""
        named = declared.named_parameters(type(self))
        ours = [n for n in self._given_arguments if n not in ("name", "dtype", "trainable")]
        return list(dict.fromkeys([*named, *ours]))

    @property
    @capabilities.for_users
    def networks(self) -> dict[str, keras.Model]:
        """The constructor arguments that are networks, by name; those in lists are numbered."""
        found = {}
        # A constructor that a subclass writes may make networks that its base declares.
        for name in dict.fromkeys([*self.arguments(), *declared.fields_of(type(self))]):
            value = getattr(self, name)
            if isinstance(value, keras.Model):
                found[name] = value
            elif isinstance(value, list | tuple):
                numbered = {f"{name}_{number}": one for number, one in enumerate(value)}
                found |= {k: one for k, one in numbered.items() if isinstance(one, keras.Model)}
        return found

    # Players ---------------------------------------------------------------------------------

    @capabilities.for_users
    def players(self) -> dict[str, Player]:
        """Returns each optimizer's name, networks and default; by default one trains them all."""
        trained = [one for name, one in self.networks.items() if name not in self.frozen]
        return {"optimizer": Player(trained)}

    def networks_of(self, optimizer: str) -> list:
        """Returns the networks that one of the optimizers trains."""
        return self._networks_of[optimizer]

    @override
    def compile(
        self, optimizer=None, *, run_eagerly=False, jit_compile=False, steps_per_execution=1,
        **optimizers,
    ):  # fmt: skip
        """Builds every optimizer for its networks and creates all state that training needs.

        Optimizers are built here, because a step under a distribution strategy must not create
        variables. `mixed_float16` networks get a dynamic loss scale.

        Args:
            optimizer: The optimizer of a model of one player.
            run_eagerly: As in Keras.
            jit_compile: Whether XLA compiles the losses and their gradients, for one device. From
                one seed, XLA generates other noise than TensorFlow's graphs, so that the weights
                after a step differ; runs of the same kind agree.
            steps_per_execution: As in Keras, for one device.
            **optimizers: An optimizer (object, name or config) for each of `players()`, by name,
                such as `d_optimizer` and `g_optimizer`; by default as `players()` says, most often
                the paper's, else Keras' Adam.

        Raises:
            ValueError: If an optimizer is unknown, shared, or has a learning rate below 0, a
                network is not built, two share a layer, or an option does not work on several
                replicas.
        """
        players = self.players()
        if optimizer is not None:
            optimizers["optimizer"] = optimizer
        check_compile(self, optimizers, jit_compile, steps_per_execution)
        built = {}
        for name, player in players.items():
            identifier = optimizers.get(name)
            identifier = player.optimizer() if identifier is None else identifier
            built[name] = built_optimizer(name, identifier, player.networks)
        # From here on nothing is refused: a call that is leaves what was compiled before.
        super().compile(
            optimizer=None, run_eagerly=run_eagerly, jit_compile=False,
            steps_per_execution=steps_per_execution,
        )  # fmt: skip
        # Of Keras' whole step XLA would leave out the checks: `minimize` gives it the gradients.
        self.__dict__["_xla"] = jit_compile
        for name, each in built.items():
            setattr(self, name, each)
        # Not tracked: networks are saved as the arguments that they are.
        self.__dict__["_networks_of"] = {name: list(p.networks) for name, p in players.items()}
        weights = {name: trainable_weights(*p.networks) for name, p in players.items()}
        self.__dict__["_weights_at_compile"] = weights
        self._means = {name: ReportedMean(name=name) for name in self.loss_names}

    @override
    def get_compile_config(self) -> dict:
        if not self.compiled:
            return {}
        serialize = keras.saving.serialize_keras_object
        return {name: serialize(getattr(self, name)) for name in self.players()} | {
            "run_eagerly": self.run_eagerly,
            "jit_compile": self._xla,
            "steps_per_execution": self.steps_per_execution,
        }

    @override
    def compile_from_config(self, config: dict):
        self.compile(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})

    def training_variables(self) -> list:
        """All state that the next step depends on: weights, counters, pools, optimizers."""
        optimizers = [getattr(self, name) for name in self.players()] if self.compiled else []
        return [*self.variables, *(v for o in optimizers for v in o.variables)]

    # Losses ----------------------------------------------------------------------------------

    def loss_weights(self) -> dict:
        """Returns the names of the reported terms, and the weight of each in its loss.

        A weight is a number, a `Schedule` of the step (in `evaluate` its final value), or a pair of
        such factors. None stands for a term that is reported and not minimized.
        """
        return {}

    @property
    def loss_names(self) -> tuple[str, ...]:
        """What a step reports: the totals, minimized terms as `<name>_loss`, and the others."""
        weights = self.loss_weights()
        terms = [name if weight is None else f"{name}_loss" for name, weight in weights.items()]
        return (*self.totals, *terms)

    def weighted(self, terms: dict) -> tf.Tensor:
        """Returns the sum of terms `[batch]`, each times its weight, or 1 without one."""
        weights = self.loss_weights()
        total = 0
        for name, term in terms.items():
            weight = weights.get(name, 1.0)
            if weight is not None:
                # Networks of lower precision make terms of theirs.
                total += self.scheduled(weight) * tf.cast(term, tf.float32)
        return total

    def scheduled(self, value):
        """Returns a number, a schedule's value (the final one outside training), or a product."""
        if isinstance(value, tuple):
            first, second = value
            return self.scheduled(first) * self.scheduled(second)
        if not self.training:
            return schedules.final(value)
        return value(self.step.value) if isinstance(value, schedules.Schedule) else value

    # A step ----------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs):
        """Makes the constructor of declared arguments, and counted steps; see `as_step`."""
        super().__init_subclass__(**kwargs)
        declared.declare(
            cls,
            last={"seed": 0},
            finish=_finish,
            reserved={*dir(GenerativeModel), *cls._stored},
        )
        for name, training in (("train_step", True), ("test_step", False)):
            function = getattr(cls, name)  # its own, or that of another base
            if getattr(function, "trains", None) != training:
                setattr(cls, name, as_step(function, training))

    @property
    def training(self) -> bool:
        """Whether a step of training runs: False in `evaluate` and in use."""
        now = running.get()
        return now.training and now.model is self

    def inference(self) -> contextlib.AbstractContextManager:
        """Within, a step computes as in use: networks, noise and schedules."""
        return inside(running.get()._replace(training=False))

    def terms(self, batch: dict) -> dict:
        """Returns the terms of the loss of a prepared batch, `[batch]` each, by name."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it minimizes.")

    @functools.partial(as_step, training=True)
    @override
    def train_step(self, data):
        """Prepares a batch, updates the players, and reports the losses.

        By default the one optimizer minimizes the weighted sum of `terms`.
        """
        batch = self.prepare_batch(data)

        def loss():
            terms = self.terms(batch)
            return self.weighted(terms), terms

        loss, terms = self.minimize(loss)
        return self.report(terms, loss=loss)

    @functools.partial(as_step, training=False)
    @override
    def test_step(self, data):
        """Takes a training step dry: `minimize` returns the loss, and only metrics change."""
        with contextlib.ExitStack() as dry:
            for name in self.players() if self.compiled else ():
                # Its updates would pass by the scope.
                dry.enter_context(replaced(getattr(self, name), apply=refuse_training))
            scope = dry.enter_context(keras.StatelessScope())
            # Of the class: what an object has in its place may be a graph, traced in training.
            losses = type(self).train_step(self, data)
        for variable in (v for metric in self.metrics for v in metric.variables):
            if (value := scope.get_current_value(variable)) is not None:
                variable.assign(value)
        return losses

    def minimize(self, loss_fn: Callable, player: str = "optimizer") -> Any:
        """Takes one step of a player's optimizer on its networks alone: see `core.minimize`."""
        if running.get().model is not self:
            raise RuntimeError(f"{type(self).__name__}.minimize: no step of this model runs.")
        if self.training:
            optimizer = getattr(self, player)
            return minimize(loss_fn, optimizer, *self.networks_of(player), xla=self._xla)
        return loss_fn()

    def report(self, terms: dict | None = None, **losses) -> dict:
        """Returns what a step reports, by the names that users see: the last line of a step.

        Args:
            terms: Terms of the losses by name, `[batch]` (weighted by their size) or scalars; those
                that `loss_weights` does not name are left out.
            **losses: The totals, and other reported values, by name.

        Raises:
            ValueError: If a term that `loss_weights` names is missing.
        """
        terms = terms or {}
        for name, weight in self.loss_weights().items():
            shown = name if weight is None else f"{name}_loss"
            if name in terms:
                losses[shown] = terms[name]
            elif shown not in losses:
                raise ValueError(
                    f"{type(self).__name__}.loss_weights names {name!r}, but the terms of its "
                    f"losses are {sorted(terms)}."
                )
        return losses

    def counted(self, losses: dict) -> dict:
        """Ends a step: counts it, and returns the running means of what it reported.

        What no name of `loss_names` stands for, such as the result of a metric, stays as it is.
        """
        # A step whose losses were not finite does not count.
        with tf.control_dependencies(list(losses.values())):
            (self.step if self.training else self.evaluation_step).assign_add(1)
        results = dict(losses)
        for name, mean in self._means.items():
            if name in losses:
                mean.update_state(tf.cast(losses[name], tf.float32))
                results[name] = mean.result()
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras concatenates the workers' results along axis 0, which scalars do not have.
            results = {name: tf.reshape(value, (1,)) for name, value in results.items()}
        return results

    @property
    def metrics(self) -> list:
        """The running means of what is reported, and the metrics that a subclass has set."""
        means = getattr(self, "_means", {})
        # Keras keeps those of an earlier `compile` too.
        return [*means.values(), *(one for one in own_metrics(self) if one.name not in means)]

    @override
    def reset_metrics(self):
        super().reset_metrics()
        self.evaluation_step.assign(0)  # so that `evaluate` repeats itself

    # Noise -----------------------------------------------------------------------------------

    def stateless_seed(self, use: str) -> tf.Tensor:
        """Returns the seed, int64 `[2]`, of one use of randomness in this step."""
        if self.training:
            return noise.stateless_seed(self.seed, self.step.value, use)
        return noise.stateless_seed(self.seed, self.evaluation_step.value, use + "/evaluation")

    def normal(self, use: str, shape) -> tf.Tensor:
        """Standard normal noise for one use in this step; `shape[0]` is the replica's batch."""
        return noise.normal(shape, self.stateless_seed(use))

    def uniform(self, use: str, shape) -> tf.Tensor:
        """Uniform noise in [0, 1) for one use in this step; `shape[0]` is the replica's batch."""
        return noise.uniform(shape, self.stateless_seed(use))

    def gumbel(self, use: str, shape) -> tf.Tensor:
        """Standard Gumbel noise for one use in this step; `shape[0]` is the replica's batch."""
        return noise.gumbel(shape, self.stateless_seed(use))

    def categorical(self, use: str, logits) -> tf.Tensor:
        """Int32 draws `[batch, ...]` over the last axis of logits for one use in this step."""
        return noise.categorical(logits, self.stateless_seed(use))

    def drawn_labels(self, n, key, classes: int) -> tf.Tensor:
        """Draws int32 labels `[n]` for samples of any class; here classes are equally likely."""
        return noise.random_labels(n, key, classes)

    # Edges -----------------------------------------------------------------------------------

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes in order, which may stand for labels; empty if none are known.

        `fit` finds them in a source, such as `image_folder(..., labels=True)`, or in labels that
        are texts, and they are saved and exported with the model.
        """
        edges = self.edges | self.training_edges
        return next((edges[n].names for n in self.batch if isinstance(edges[n], Labels)), ())

    @property
    def named_classes(self) -> int:
        """How many classes can have names: those of the labels that `fit` takes; 0 without any."""
        edges = self.edges | self.training_edges
        counts = [edges[n].classes for n in self.batch if isinstance(edges[n], Labels)]
        return counts[0] if counts else 0

    def name_classes(self, names) -> None:
        """Names the classes, so that `sample(label="cat")` stands for a number.

        Args:
            names: The names in the order of the labels.

        Raises:
            ValueError: If there are not as many as the labels that `fit` takes have classes.

        Example: `model.name_classes(["cat", "dog"])`.
        """
        names = tuple(map(str, names))
        if len(names) != self.named_classes:
            raise ValueError(
                f"{type(self).__name__} got {len(names)} names, {', '.join(names)}: it has "
                f"{self.named_classes} classes."
            )
        for edges in (self.edges, self.training_edges):
            for name, edge in edges.items():
                if isinstance(edge, Labels) and edge.classes == len(names):
                    edges[name] = dataclasses.replace(edge, names=names)

    def in_any_units(self, edge: Edge) -> Edge:
        """Returns the edge of the examples: one that takes any units, if the model standardizes."""
        return edge.standardized() if self.standardize else edge

    def prepare(self, x) -> tf.Tensor:
        """Checks examples and converts them to the networks' form: see `Edge.prepare`."""
        return self.edges["x"].prepare(x)

    def restore(self, values) -> tf.Tensor:
        """Converts results of the networks to the form of the edge `x`, such as uint8."""
        return self.edges["x"].restore(values)

    named_parts = named_parts

    def prepare_batch(self, data) -> dict[str, tf.Tensor]:
        """Checks what `fit` was given, and names its parts by the edges that `batch` lists.

        A model of one kind of data ignores labels that come with it. Second examples are the
        `target` of a model that `reconstructs_pairs`, and must be x itself for others.

        Raises:
            ValueError: If a part is missing, unknown or refused, or there are too many.
        """
        edges = self.edges | self.training_edges
        edges[TARGET] = edges["x"]
        batch = {}
        for name, part in self.named_parts(data).items():
            batch[name] = edges[name].prepare(part)
        if TARGET in batch and not self.reconstructs_pairs:
            same = tf.reduce_all(tf.equal(batch["x"], batch.pop(TARGET)))
            sentence = (
                f"{type(self).__name__} got y, examples that differ from x, and has no use for "
                "them: leave y out."
            )
            with tf.control_dependencies([require(same, sentence)]):
                batch["x"] = tf.identity(batch["x"])
        return batch if replica_count() == 1 else with_examples(batch)

    # Use -------------------------------------------------------------------------------------

    signatures = capabilities.signatures
    signature = capabilities.signature
    signature_defaults = capabilities.signature_defaults
    served = capabilities.served

    def graph(self, key, function: Callable, specs) -> Callable:
        """Returns a function of tensors as a graph, traced once and kept under the key."""
        graphs = self.__dict__.setdefault("_graphs", {})
        if key not in graphs:
            # As in Keras' steps, conditions are TensorFlow's: AutoGraph would only cost seconds.
            graphs[key] = tf.function(function, input_signature=specs, autograph=False)
        return graphs[key]

    # Training --------------------------------------------------------------------------------

    @override
    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Keras would call the model on data to build it; networks and optimizers are built."""

    @override
    def fit(self, *args, **kwargs):
        """Trains as `keras.Model.fit`; bad data and non-finite losses end it with one sentence.

        A call that is refused or interrupted before its first step leaves the model as it was:
        units, columns, and class names that it found are forgotten.

        `x` and `validation_data` can be a `keras_gen.data.Source`, such as `image_folder` reads.

        Raises:
            NonFiniteLossError: If a loss, a gradient or a weight is NaN or infinite. The weights
                that it trains are those before that step.
            ValueError: If a batch does not fit its edges or there is none, `steps_per_epoch` or
                `epochs` is 0, examples or classes have weights, a callback needs a single
                optimizer, or a layer was frozen after `compile`.
        """
        return FitCall(self, super().fit, args, kwargs).run()

    @override
    def evaluate(self, *args, **kwargs):
        if CALLED_BY_FIT in kwargs:  # its data have been looked at
            return super().evaluate(*args, **kwargs)
        return EvaluateCall(self, super().evaluate, args, kwargs).run()

    @override
    def train_on_batch(self, *args, **kwargs):
        """Trains as `keras.Model.train_on_batch`.

        Raises:
            NonFiniteLossError: As `fit`.
            ValueError: If the model standardizes examples whose units it does not know yet, the
                batch does not fit its edges, or examples or classes have weights.
        """
        return TrainOnBatchCall(self, super().train_on_batch, args, kwargs).run()

    @override
    def test_on_batch(self, *args, **kwargs):
        return TestOnBatchCall(self, super().test_on_batch, args, kwargs).run()

    @override
    def __call__(self, *args, **kwargs):
        """Returns what `call` does for examples; a ValueError if values are masked."""
        refuse_masked("The input", args)
        return super().__call__(*args, **kwargs)

    @override
    def predict(self, *args, **kwargs):
        """Returns what the capability does that `predicts` names, as `keras.Model.predict`.

        Raises:
            NotImplementedError: If it names none.
            ValueError: If the data do not fit the edges, or values are masked.
        """
        return PredictCall(self, super().predict, args, kwargs).run()

    @override
    def predict_step(self, data):
        if self.predicts is None:
            raise NotImplementedError(
                f"{type(self).__name__} has no predict: it has {', '.join(self.signatures())}."
            )
        return capabilities.of_batch(self, self.predicts, in_order(data))

    # Files -----------------------------------------------------------------------------------

    @override
    def save(self, filepath, *args, **kwargs):
        """Writes a file, `x.keras`, or a model on the Hub, `hf://<user>/<name>`, as Keras does.

        Any other `filepath` is a ValueError.
        """
        if not str(filepath).endswith(".keras") and not str(filepath).startswith("hf://"):
            raise ValueError(
                f"filepath is '{filepath}': expected a name that ends in .keras, or begins with "
                "hf://."
            )
        super().save(filepath, *args, **kwargs)

    @override
    def load_weights(self, filepath, *args, **kwargs):
        """Loads weights as `keras.Model.load_weights` does.

        Raises:
            ValueError: If they are those of another model, whereupon this one keeps its weights.
        """
        before = self.get_weights()
        try:
            super().load_weights(filepath, *args, **kwargs)
        except ValueError as error:
            self.set_weights(before)
            if "could not be loaded" not in str(error):
                raise
            raise ValueError(
                f"{filepath} holds other weights than this {type(self).__name__} has: build it as "
                f"the saved model was built.{older_likelihood(self)}"
            ) from error

    @override
    def export(self, filepath, format="tf_saved_model", **options) -> Path:
        """Writes `<filepath>/<version>/`: a SavedModel with the model's signatures.

        The same as `keras_gen.serving.export.export`, which says what it holds. Averaged weights
        are written inside of `keras_gen.core.averaged_weights`.

        Args:
            filepath: A folder, such as `"exports/digits"`, under whose name the model is served.
            format: "tf_saved_model", as in Keras; no other one.
            **options: `default`, `metadata`, `warmup`, `half` and `signatures`, as there.

        Returns:
            The folder written: the first free version.

        Raises:
            ValueError: For another format, and as there.
            OSError: If the folder cannot be written.

        Example: `vae.export("exports/digits", default="sample")`.
        """
        from keras_gen.serving.export import export

        if format != "tf_saved_model":
            raise ValueError(
                f"format is {format!r}: expected 'tf_saved_model', which other tools convert."
            )
        folder = checked_path("filepath", filepath)
        return export(self, folder.parent, folder.name, **options)

    @classmethod
    @capabilities.for_users
    def from_pretrained(cls, source: str | Path):
        """Loads a trained model of this class, as `keras_gen.load` does.

        Args:
            source: The name of an export, the folder of an export or of a run, a `.keras` file, or
                `"hf://<user>/<name>"`.

        Returns:
            A compiled model of this class.

        Raises:
            ValueError: If it is a model of another class, and as `keras_gen.load`.
            FileNotFoundError: If nothing is there.

        Example: `model = VAE.from_pretrained("vae_mnist")`.
        """
        model = keras_gen.load(source)
        if not isinstance(model, cls):
            found = type(model).__name__
            raise ValueError(
                f"{source} holds a {found}, which is no {cls.__name__}: load it by "
                f"{found}.from_pretrained or keras_gen.load."
            )
        return model
