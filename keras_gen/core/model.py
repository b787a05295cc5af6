"""The base class of all models: players, randomness, reports, edges, capabilities, and config."""

import contextlib
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast, dataclass_transform

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen import declared
from keras_gen.arguments import checked_flag, checked_seed, refuse_masked
from keras_gen.core import capabilities, compilation, noise, saving, schedules
from keras_gen.core import fit as calls
from keras_gen.core.batches import in_order, named_parts, prepare_batch
from keras_gen.core.compilation import Player, refuse_shared_layers
from keras_gen.core.configuration import config_of, model_of
from keras_gen.core.construction import BUILDERS, finish, given_arguments
from keras_gen.core.kinds_of_data import Edge, label_data
from keras_gen.core.minimize import minimize
from keras_gen.core.optimizers import forget_start, forgets_start
from keras_gen.core.step import as_step, inside, running, taken_dry
from keras_gen.keras_internals import own_metrics

# Key in the configuration of `compile` for the optimizers passed to `forget_start`.
FORGETFUL = "forgets_start"


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
    """Base class for all models. It assigns networks to optimizers and prepares every step.

    A subclass declares its arguments as fields (see `keras_gen.declared`), which `get_config` and
    `.keras` files use. The subclass also defines its `players`, the edges for its data (`edges`, in
    `set_up`), the weights of its losses (`loss_weights`), and one step (`train_step`). The model
    itself computes in float32; each network uses the dtype policy with which it was built.

    Args:
        seed: Seed for all random numbers in the steps.
        standardize: Whether examples, which must be vectors, are standardized with the means and
            standard deviations of the data in the first `fit`. Results and scores are in the
            original units.
        **kwargs: Arguments of `keras.Model`, such as `name`.
    """

    # The parts of a batch, as names of edges in the order of `fit`, and the names of the conditions
    # of x. Neither is annotated, because annotated attributes are arguments.
    batch = cast(tuple[str, ...], ("x",))
    given = cast(tuple[str, ...], ())
    # Arguments of `sample` that exports lack, because every request would have to contain them.
    unserved = cast(tuple[str, ...], ())
    # Minimum and maximum number of training steps of published runs on images; () if unknown.
    published_steps = cast(tuple[int, ...], ())
    # Arguments that are networks saved with the model but never trained, such as a teacher.
    frozen: ClassVar[tuple[str, ...]] = ()
    # Whether second examples, the y of `fit`, are the reconstruction targets for x.
    reconstructs_pairs = False
    # Whether `log_prob` of vectors is unbounded if a column contains repeated values.
    density_of_vectors = False
    # Names of the losses that the optimizers minimize.
    totals: ClassVar[tuple[str, ...]] = ("loss",)
    # Name of the capability that the Keras method `predict` runs.
    predicts: ClassVar[str | None] = None
    _xla = False  # whether losses and gradients are compiled, as set by `compile`
    # Number of steps per TensorFlow call of the training graph if chosen automatically, else None.
    _steps_together: int | None = None
    # Renamed arguments: name in files of earlier versions -> new name.
    renamed: ClassVar[dict[str, str]] = {}
    # Names of arguments that the constructor stores in addition to a subclass's declared arguments.
    _stored = (
        *("seed", "standardize", "name", "dtype", "trainable", "started_from"),
        *("edges", "training_edges", "step", "evaluation_step"),
        *("optimizer", "compiled", "history", "stop_training"),
    )

    if TYPE_CHECKING:  # every constructor accepts these keyword arguments
        seed: int = declared.argument(default=0, kw_only=True)
        standardize: bool = declared.argument(default=False, kw_only=True)
        name: str = declared.argument(default="", kw_only=True)
        dtype: Any = declared.argument(default="float32", kw_only=True)

    def __new__(cls, *args, **kwargs):
        """Records the given arguments for `get_config`."""
        given = given_arguments(cls, args, kwargs)
        model = super().__new__(cls, *args, **kwargs)
        object.__setattr__(model, "_given_arguments", given)
        return model

    def __init__(self, seed: int = 0, standardize: bool = False, **kwargs):
        if kwargs.keys() & {"inputs", "outputs"}:  # Keras would change the bases of all models
            raise TypeError(
                f"{type(self).__name__} got inputs or outputs: leave these arguments out, because "
                "the networks of the model define them."
            )
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.seed = checked_seed(seed)
        self.standardize = checked_flag("standardize", standardize)
        # Data on which the weights were trained before `keras_gen.load` loaded the model.
        self.started_from = ""
        self.edges: dict = {}
        # Edges for data whose form during training differs from its form at inference, with the
        # same names as in `edges`.
        self.training_edges: dict = {}
        # The counter keeps the value of one replica, because every replica adds the same number.
        counter = dict(
            shape=(), dtype="int64", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip
        self.step = self.add_weight(name="step", **counter)
        self.evaluation_step = self.add_weight(name="evaluation_step", **counter)
        # The networks are already built; the model itself has nothing to build from data.
        self.built = True
        # Without this setting, Keras would choose XLA for an uncompiled model.
        self.jit_compile = False

    def set_up(self) -> None:
        """Creates edges and state from the arguments, and checks combinations of arguments."""

    @override
    def __setattr__(self, name, value):
        steps = (getattr(self, step, None) for step in ("train_function", "test_function"))
        if any(step is not None for step in steps) and name in self.arguments():
            raise AttributeError(
                f"{name} cannot change now, because the compiled step has already read it: pass "
                "a schedule (keras_gen.core.schedules) to the constructor, or call compile, "
                "assign the new value, and then call fit."
            )
        # New values of arguments are checked, except in the constructor, which has checked them,
        # and for networks, which can be wrapped later.
        field = getattr(type(self).__init__, "fields", {}).get(name)
        if field is not None and name in self.__dict__ and "shapes" not in field.metadata:
            value = declared.checked(field, value)
        if "_graphs" in self.__dict__ and name in self.arguments():
            self._graphs.clear()  # the compiled graphs contain the previous value
        super().__setattr__(name, value)

    @override
    def __dir__(self):
        """Lists the attributes for users, without those meant only for subclasses and steps."""
        classes = type(self).__mro__
        marked = {
            n
            for c in classes
            for n, value in vars(c).items()
            if capabilities.is_for_users(value)
        }
        shown = {*dir(keras.Model), *vars(self), *BUILDERS, *marked}
        return [name for name in super().__dir__() if name.startswith("_") or name in shown]

    # Configuration ---------------------------------------------------------------------------

    @override
    def get_config(self) -> dict:
        refuse_shared_layers(self)
        return config_of(self)

    @override
    @classmethod
    def from_config(cls, config: dict):
        return model_of(cls, config)

    def arguments(self) -> list[str]:
        """Returns the names of the constructor's arguments, including base-class arguments."""
        named = declared.named_parameters(type(self))
        ours = [n for n in self._given_arguments if n not in ("name", "dtype", "trainable")]
        return list(dict.fromkeys([*named, *ours]))

    @property
    @capabilities.for_users
    def networks(self) -> dict[str, keras.Model]:
        """Networks among the constructor's arguments, by name; networks in lists are numbered."""
        found = {}
        # A subclass's own constructor may create networks that its base declares.
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
        """Returns one `Player` per optimizer, by name. By default, there is a single optimizer."""
        trained = [one for name, one in self.networks.items() if name not in self.frozen]
        return {"optimizer": Player(trained)}

    def networks_of(self, optimizer: str) -> list:
        """Returns the networks that an optimizer trains."""
        return self._networks_of[optimizer]

    compile = compilation.compile_model
    training_variables = compilation.training_variables

    @override
    def get_compile_config(self) -> dict:
        if not self.compiled:
            return {}
        serialize = keras.saving.serialize_keras_object
        optimizers = {name: getattr(self, name) for name in self.players()}
        forgetful = [name for name, each in optimizers.items() if forgets_start(each)]
        return {name: serialize(each) for name, each in optimizers.items()} | {
            **({FORGETFUL: forgetful} if forgetful else {}),
            "run_eagerly": self.run_eagerly,
            "jit_compile": self._xla,
            "steps_per_execution": "auto" if self._steps_together else self.steps_per_execution,
        }

    @override
    def compile_from_config(self, config: dict):
        forgetful = config.get(FORGETFUL, [])
        config = {name: value for name, value in config.items() if name != FORGETFUL}
        self.compile(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})
        for name in forgetful:
            forget_start(getattr(self, name))

    # Losses ----------------------------------------------------------------------------------

    def loss_weights(self) -> dict:
        """Returns the reported terms by name, each with its weight in the loss.

        A weight is a number, a `Schedule` of the step (`evaluate` uses its final value), or a pair
        of such factors. None marks a term that is reported but not minimized.
        """
        return {}

    @property
    def loss_names(self) -> tuple[str, ...]:
        """Names of reported values: totals, minimized terms as `<name>_loss`, and other terms."""
        weights = self.loss_weights()
        terms = [name if weight is None else f"{name}_loss" for name, weight in weights.items()]
        return (*self.totals, *terms)

    def weighted(self, terms: dict) -> tf.Tensor:
        """Returns the sum of terms `[batch]`, each multiplied by its weight (default: 1)."""
        weights = self.loss_weights()
        total = 0
        for name, term in terms.items():
            weight = weights.get(name, 1.0)
            if weight is not None:
                # Networks with a lower precision return terms in that precision.
                total += self.scheduled(weight) * tf.cast(term, tf.float32)
        return total

    def scheduled(self, value):
        """Returns a weight's current value; outside training, the final value of a schedule."""
        if isinstance(value, tuple):
            first, second = value
            return self.scheduled(first) * self.scheduled(second)
        if not self.training:
            return schedules.final(value)
        return value(self.step.value) if isinstance(value, schedules.Schedule) else value

    # A step ----------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs):
        """Creates a constructor for the declared arguments, and wraps the steps; see `as_step`."""
        super().__init_subclass__(**kwargs)
        declared.declare(
            cls,
            last={"seed": 0},
            finish=finish,
            reserved={*dir(GenerativeModel), *cls._stored},
        )
        for name, training in (("train_step", True), ("test_step", False)):
            function = getattr(cls, name)  # inherited or defined by the class itself
            if getattr(function, "trains", None) != training:
                setattr(cls, name, as_step(function, training))

    @property
    def training(self) -> bool:
        """Whether a training step is running; False in `evaluate` and at inference."""
        now = running.get()
        return now.training and now.model is self

    def inference(self) -> contextlib.AbstractContextManager:
        """Returns a context in which networks, noise, and schedules behave as in inference."""
        return inside(running.get()._replace(training=False))

    def terms(self, batch: dict) -> dict:
        """Returns the terms of the loss for a prepared batch, each `[batch]`, by name."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define what it minimizes: override terms or "
            "train_step."
        )

    @functools.partial(as_step, training=True)
    @override
    def train_step(self, data):
        """Prepares a batch, updates the players' networks, and reports the losses.

        By default, the single optimizer minimizes the weighted sum of `terms`.
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
        """Runs a training step in which `minimize` only returns the loss; metrics are updated."""
        return taken_dry(self, data)

    def minimize(self, loss_fn: Callable, player: str = "optimizer") -> Any:
        """Takes one step of a player's optimizer on its networks only; see `core.minimize`."""
        if running.get().model is not self:
            raise RuntimeError(
                f"{type(self).__name__}.minimize was called outside a training or evaluation "
                "step of this model: call it only inside train_step."
            )
        if self.training:
            optimizer = getattr(self, player)
            return minimize(loss_fn, optimizer, *self.networks_of(player), xla=self._xla)
        return loss_fn()

    def report(self, terms: dict | None = None, **losses) -> dict:
        """Returns a step's losses under user-facing names; call this method at the end of a step.

        Args:
            terms: A dict that maps names to the terms of the losses. A term is either `[batch]`,
                whose mean is weighted by batch size, or a scalar. Terms that are not in
                `loss_weights` are omitted.
            **losses: Totals and other values to report, as keyword arguments.

        Raises:
            ValueError: If a term in `loss_weights` is missing.
        """
        if not isinstance(terms, dict | None):
            found = type(terms).__name__
            raise TypeError(f"terms is a {found}: expected a dict of losses by name.")
        terms = terms or {}
        for name, weight in self.loss_weights().items():
            shown = name if weight is None else f"{name}_loss"
            if name in terms:
                losses[shown] = terms[name]
            elif shown not in losses:
                raise ValueError(
                    f"{type(self).__name__}.loss_weights contains {name!r}, which is not a term "
                    f"of its loss: expected one of {sorted(terms)}."
                )
        return losses

    def counted(self, losses: dict) -> dict:
        """Ends and counts a step; returns running means of the values that the step reported.

        Values whose names are not in `loss_names`, such as the result of a metric, are returned
        unchanged.
        """
        # A step with non-finite losses is not counted.
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
        """Running means of the reported values, and metrics that a subclass adds."""
        means = getattr(self, "_means", {})
        # Keras also keeps the metrics of an earlier `compile`, which are left out here.
        return [*means.values(), *(one for one in own_metrics(self) if one.name not in means)]

    @override
    def _get_metrics_result_or_logs(self, logs):
        """Returns the running means over all replicas for all names in the logs.

        Keras returns running means only if every name is reported. Otherwise, it averages over
        replicas, although one replica may have had fewer examples.
        """
        known = self.get_metrics_result()
        return {name: known.get(name, value) for name, value in logs.items()}

    @override
    def reset_metrics(self):
        super().reset_metrics()
        self.evaluation_step.assign(0)  # makes `evaluate` reproducible

    # Noise -----------------------------------------------------------------------------------

    def stateless_seed(self, use: str) -> tf.Tensor:
        """Returns the seed, int64 `[2]`, for one use of random numbers in this step."""
        if self.training:
            return noise.stateless_seed(self.seed, self.step.value, use)
        return noise.stateless_seed(self.seed, self.evaluation_step.value, use + "/evaluation")

    def normal(self, use: str, shape) -> tf.Tensor:
        """Returns standard normal noise for one use; `shape[0]` is this replica's batch size."""
        return noise.normal(shape, self.stateless_seed(use))

    def uniform(self, use: str, shape) -> tf.Tensor:
        """Returns uniform noise in [0, 1) for one use in this step; see `normal`."""
        return noise.uniform(shape, self.stateless_seed(use))

    def gumbel(self, use: str, shape) -> tf.Tensor:
        """Returns standard Gumbel noise for one use in this step; see `normal`."""
        return noise.gumbel(shape, self.stateless_seed(use))

    def categorical(self, use: str, logits) -> tf.Tensor:
        """Returns int32 samples `[batch, ...]` from softmax(logits) for one use in this step."""
        return noise.categorical(logits, self.stateless_seed(use))

    def drawn_labels(self, n, key, classes: int) -> tf.Tensor:
        """Samples int32 labels `[n]` for examples of any class, uniformly by default."""
        return noise.random_labels(n, key, classes)

    # Edges -----------------------------------------------------------------------------------

    class_names = property(label_data.class_names)
    named_classes = property(label_data.named_classes)
    name_classes = label_data.name_classes

    def in_any_units(self, edge: Edge) -> Edge:
        """Returns the edge, or its counterpart for any units if the model standardizes examples."""
        return edge.standardized() if self.standardize else edge

    def condition_on(self, name: str, edges: dict[str, Edge]) -> None:
        """Adds the edges of a condition that `fit` requires for each example."""
        self.edges |= edges
        self.given = (name,)
        self.batch = ("x", name)

    def prepare(self, x) -> tf.Tensor:
        """Checks examples and converts them to the format of the networks; see `Edge.prepare`."""
        edge = self.edges["x"]
        return edge.prepare(edge.as_array(edge.of_columns(x)))

    def restore(self, values) -> tf.Tensor:
        """Converts results of the networks to the served format of the edge `x`, such as uint8."""
        return self.edges["x"].restore(values)

    named_parts = named_parts

    prepare_batch = prepare_batch

    # Use -------------------------------------------------------------------------------------

    signatures = capabilities.signatures
    signature = capabilities.signature
    signature_defaults = capabilities.signature_defaults
    served = capabilities.served

    def graph(self, key, function: Callable, specs) -> Callable:
        """Returns a function of tensors as a graph, traced once and cached under `key`."""
        graphs = self.__dict__.setdefault("_graphs", {})
        if key not in graphs:
            # Conditions are written with TensorFlow operations, as in Keras, so AutoGraph would
            # only cost time.
            graphs[key] = tf.function(function, input_signature=specs, autograph=False)
        return graphs[key]

    # Training --------------------------------------------------------------------------------

    @override
    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing, because the model is already built; Keras would build the model on data."""

    fit = calls.fit
    evaluate = calls.evaluate
    predict = calls.predict
    train_on_batch = calls.train_on_batch
    test_on_batch = calls.test_on_batch

    @override
    def __call__(self, *args, **kwargs):
        """Returns the output of `call`; raises a ValueError if values are masked."""
        refuse_masked("The input", args)
        return super().__call__(*args, **kwargs)

    @override
    def predict_step(self, data):
        if self.predicts is None:
            raise NotImplementedError(
                f"{type(self).__name__} has no predict: use one of "
                f"{', '.join(self.signatures())}."
            )
        return capabilities.of_batch(self, self.predicts, in_order(data))

    # Files -----------------------------------------------------------------------------------

    save = saving.save
    save_weights = saving.save_weights
    load_weights = saving.load_weights
    export = saving.export
    from_pretrained = classmethod(saving.from_pretrained)
