"""Calls to `fit`, `evaluate`, and `predict`: their arguments, data, and errors."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_number, refuse_masked, shown
from keras_gen.core.batches import in_order
from keras_gen.core.capabilities import warn_of_unknown_units
from keras_gen.core.compilation import resamples
from keras_gen.core.construction import require_edges
from keras_gen.core.distribution import is_chief
from keras_gen.core.fit_data import (
    Arrays,
    FitData,
    Sourced,
    fit_data,
    refuse_no_data,
)
from keras_gen.core.kinds_of_data import Edge
from keras_gen.core.kinds_of_data.table_data import StandardizedVectors, Vectors
from keras_gen.core.minimize import NOT_FINITE, NonFiniteLossError, trainable_weights
from keras_gen.core.network_checks import check_weights
from keras_gen.core.optimizers import LearningRates, unaveraged
from keras_gen.core.training_state import TrainingState
from keras_gen.keras_internals import CALLED_BY_FIT
from keras_gen.messages import refusal, warn

USUAL_BATCH = 32  # the Keras default
_MOST_STEPS = 50  # maximum number of steps per TensorFlow call that are chosen automatically
_FEW_IMAGES = 5000
_ENOUGH_ROWS = 20  # minimum number of rows for the check of repeated values
_LEAST = {
    "batch_size": 1,
    "epochs": 1,
    "initial_epoch": 0,
    "steps": 1,
    "steps_per_epoch": 1,
    "validation_batch_size": 1,
    "validation_steps": 1,
}
_MOST = 2**31 - 1  # maximum of these numbers
_NEVER_NONE = ("epochs", "initial_epoch")


class Call:
    """One call to a method of `keras.Model`, before which the data is inspected.

    If the call fails, the model discards everything that it inferred from the data.

    Args:
        model: `GenerativeModel` to call.
        method: Method of `keras.Model`.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Raises:
        TypeError: If the method does not accept an argument.
        ValueError: If the model does not describe its data.
    """

    trains = False

    def __init__(self, model, method: Callable, args: tuple, kwargs: dict[str, Any]):
        self.model = model
        self.owner = type(model).__name__
        self.method = method
        require_edges(model)
        try:
            bound = inspect.signature(method).bind(*_parts_together(model, args), **kwargs)
        except TypeError as error:
            name = method.__name__
            raise TypeError(
                f"{name} accepts the arguments of keras.Model.{name}: {error}."
            ) from None
        self.arguments = dict(bound.arguments)
        self.arguments |= self.arguments.pop("kwargs", {})
        self.states: list[TrainingState] = []
        self.first_step = model.step.numpy()

    def run(self):
        """Prepares the arguments and calls the Keras method with them.

        Raises:
            NonFiniteLossError: If a loss, a gradient, or a weight was not finite.
            ValueError: If the data or an argument is invalid.
        """
        model = self.model
        self.known = _Known(model)
        ended = False
        try:
            self.prepare()
            with unaveraged(getattr(model, "optimizer", None)):
                result = self.method(**self.arguments)
            ended = True
            return result
        except (tf.errors.OpError, ValueError) as error:
            if sentence := self._in_one_sentence(error):
                raise sentence from error
            raise
        finally:
            trained = model.step.numpy() != self.first_step
            if not (trained if self.trains else ended):
                self.known.restore()
            for state in self.states:
                state.release()
            if model._steps_together:  # otherwise, each call runs a single step
                self.run_together(1)

    def prepare(self) -> None:
        """Checks the arguments and inspects the data."""
        raise NotImplementedError

    def run_together(self, steps: int) -> None:
        """Sets the number of steps per TensorFlow call, for training and for held-out data."""
        model = self.model
        if steps != model.steps_per_execution:
            model.steps_per_execution = steps
            model.test_function = None

    def _in_one_sentence(self, error: Exception) -> Exception | None:
        """Returns this library's own error if a check in a graph failed, or None."""
        text = str(getattr(error, "message", error))
        if NOT_FINITE not in text:
            sentence = refusal(text)
            return ValueError(sentence) if sentence else None
        loss = text.split(NOT_FINITE)[1].split()[0].replace("'s_", "'s ")
        checkpoints = [state.latest for state in self.states if state.latest]
        where = checkpoints[0] if checkpoints else "none"
        unmoved = "no trainable weight was changed"
        if len(self.model.players()) > 1:
            unmoved = (
                "its weights were not changed, but networks updated earlier in the step were "
                "changed"
            )
        return NonFiniteLossError(
            f"{loss} was not finite at step {self.model.step.numpy()}, so {unmoved}. Last good "
            f"checkpoint: {where}. Lower the learning rate, or look for bad values in the data."
        )

    def check_arguments(self) -> None:
        """Raises an error for unsuitable numbers, callbacks, and sample weights."""
        arguments = self.arguments
        for name in arguments.keys() & _LEAST.keys():
            if arguments[name] is not None or name in _NEVER_NONE:
                number = checked_integer(name, arguments[name], _LEAST[name])
                checked_integer(name, number, maximum=_MOST)
        verbose = arguments.get("verbose", "auto")
        if not isinstance(verbose, int | str) or verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose is {shown(verbose)}: expected 'auto', 0, 1, or 2.")
        # Keras would look for the history of `fit` in the user's CallbackList.
        given = arguments.get("callbacks")
        given = getattr(given, "callbacks", given) or []
        callbacks = list(given) if isinstance(given, list | tuple) else [given]
        for callback in callbacks:
            if isinstance(callback, type):
                name = callback.__name__
                raise TypeError(
                    f"callbacks contains the class {name}: expected an instance, {name}(...)."
                )
            if not hasattr(callback, "set_model"):
                raise TypeError(
                    f"callbacks contains {shown(callback)}: expected a keras.callbacks.Callback."
                )
        arguments["callbacks"] = callbacks
        _refuse_weights(self.owner, arguments)

    def divide(self, data: FitData) -> None:
        """Makes a source yield batches in order; the batch size comes from the arguments."""
        if isinstance(data, Sourced):
            data.divide(self.arguments.pop("batch_size", None) or USUAL_BATCH)

    def look(self, *several: FitData) -> dict[str, Any]:
        """Shows the first batch to the edges, so that they recognize floats from 0 to 255.

        Args:
            *several: Training or evaluation data, followed by any held-out data.

        Returns:
            A dict of the named parts of the first batch; empty if the batch cannot be inspected.

        Raises:
            ValueError: If the held-out data has a different range than the training data, or does
                not match the edges. Keras would detect this problem only after an epoch.
        """
        model = self.model
        before = model.edges | model.training_edges
        seen: dict = {}
        looks: list[dict[str, Any]] = []
        for data in several:
            batch = data.first()
            parts = {} if batch is None else model.named_parts(batch)
            own = {n: before[n].seen(part) for n, part in parts.items() if n in before}
            own = {name: edge for name, edge in own.items() if edge is not None}
            if looks:
                for name, edge in (before | seen | own).items():
                    if name in parts:
                        edge.prepare(parts[name])
                _refuse_other_range(seen, own)
            seen = own | seen
            looks.append(parts)
        changed = {name: edge for name, edge in seen.items() if edge != before[name]}
        if changed:
            model.training_edges.update(changed)
            # The compiled functions are discarded, because they were traced with the previous
            # edges.
            model.train_function = model.test_function = None
        if self.arguments.get("verbose", 1) and is_chief():
            for name, edge in changed.items():
                print(f"{name}: interpreting values as {edge.expected()}")
        return looks[0]


class FitCall(Call):
    """One call to `fit`, which trains a model and may evaluate held-out data.

    If no step completes, the model discards everything that it inferred from the data.
    """

    trains = True

    @override
    def prepare(self):
        model, arguments = self.model, self.arguments
        self.check_arguments()
        frequency = arguments.get("validation_freq", 1)
        if not isinstance(frequency, list):
            checked_integer("validation_freq", frequency, 1)
        x, y = arguments.get("x"), arguments.get("y")
        training = fit_data(model, self.owner, x, y, learns=True)
        held_out = None
        if arguments.get("validation_split") or arguments.get("validation_data") is not None:
            held_out = self._take_held_out(training)
        several = [training] if held_out is None else [training, held_out]
        if any(isinstance(data, Sourced) for data in several):
            self._divide_sources(*several)
        training.check(arguments.get("steps_per_epoch"))
        if held_out is not None:
            held_out.check(arguments.get("validation_steps"))
        if not training.divided_by_keras:
            # Without this setting, Keras warns about its own default.
            arguments.setdefault("shuffle", False)
        callbacks = arguments["callbacks"]
        self.states = [each for each in callbacks if isinstance(each, TrainingState)]
        start = arguments.get("initial_epoch", 0)
        if start < arguments.get("epochs", 1):
            for state in self.states:
                state.require_epoch(start)
        optimizers = list(model._networks_of) if model.compiled else []
        if optimizers != ["optimizer"]:
            refuse_callbacks(self.owner, optimizers, callbacks)
            arguments["callbacks"] = [LearningRates(), *callbacks]
        check_weights(model)
        refuse_frozen(model)
        first = self.look(*several)
        if model.density_of_vectors and self.first_step == 0 and first:
            _warn_of_few_values(model, first["x"])
        if self.known.units:
            self._adapt_edges(training)
        self._tell_duration(training)
        arguments |= {"x": training.x, "y": training.y}
        if held_out is not None:
            arguments["validation_data"] = (held_out.x, held_out.y)
        if model._steps_together:
            steps = self._automatic_steps(training)
            if steps != model._steps_together:
                model.train_function = None
            model.__dict__["_steps_together"] = steps
            self.run_together(steps)

    def _automatic_steps(self, training: FitData) -> int:
        """Returns the number of steps per TensorFlow call for `steps_per_execution="auto"`."""
        model, arguments = self.model, self.arguments
        size = arguments.get("batch_size") or USUAL_BATCH
        steps = arguments.get("steps_per_epoch") or training.steps(size)
        single = model.distribute_strategy.num_replicas_in_sync == 1 and not model.run_eagerly
        each = resamples(model) or any(map(follows_batches, arguments["callbacks"]))
        if not steps or not single or each:
            return 1
        # With a number that does not divide both, Keras would take more steps of an infinite stream
        # than requested.
        steps = math.gcd(steps, arguments.get("validation_steps") or 0)
        return max(n for n in range(1, _MOST_STEPS + 1) if steps % n == 0)

    def _take_held_out(self, training: FitData) -> FitData | None:
        """Removes the held-out data from the arguments; returns None if Keras splits arrays."""
        arguments = self.arguments
        split = arguments.get("validation_split") or 0
        if split and checked_number("validation_split", split, minimum=0, maximum=1) == 1:
            raise ValueError("validation_split is 1: expected a fraction below 1.")
        if arguments.get("validation_data") is not None:
            owner = f"validation_data of {self.owner}"
            given = arguments.pop("validation_data")
            if isinstance(given, list | tuple):
                if not given:
                    refuse_no_data(owner, "x")
                given = _parts_together(self.model, tuple(given))
            x, y, weights = keras.utils.unpack_x_y_sample_weight(given)
            _refuse_weights(owner, {"sample_weight": weights})
            return fit_data(self.model, owner, x, y)
        if isinstance(training, Arrays):
            count = training.count() or 0
            training.split = split
            if not 0 < (training.count() or 0) < count:
                raise ValueError(
                    f"validation_split is {split:g} for {count} examples: expected a fraction that "
                    "leaves at least one example for training and one for validation."
                )
            return None
        if isinstance(training, Sourced) and hasattr(training.source, "split"):
            return training.split(arguments.pop("validation_split"), self.model.seed)
        kind = type(arguments["x"]).__name__
        raise ValueError(
            f"validation_split is {split:g}, but x is a {kind}: expected arrays or a "
            "keras_gen.data.Source, which can be split. Pass the held-out examples as "
            "validation_data."
        )

    def _divide_sources(self, training: FitData, held_out: FitData | None = None) -> None:
        """Makes sources yield batches, whose size and order come from the arguments."""
        arguments = self.arguments
        size = arguments.get("batch_size") or USUAL_BATCH
        if isinstance(training, Sourced):
            arguments.pop("batch_size", None)
            size = min(size, len(training.source))
            if arguments.pop("shuffle", True):
                training.shuffle(size, arguments, self.model.seed)
            else:
                training.divide(size)
        if isinstance(held_out, Sourced):
            held_out.divide(arguments.pop("validation_batch_size", None) or size)

    def _tell_duration(self, training: FitData) -> None:
        """Prints the length of published runs before a shorter run with few images."""
        model = self.model
        arguments = self.arguments
        images = len(getattr(model.edges.get("x"), "shape", ())) == 3
        asked = model.published_steps and arguments.get("verbose", 1) and is_chief()
        if not (images and asked):
            return
        count = training.count()
        if count is None:
            return
        size = arguments.get("batch_size") or USUAL_BATCH
        each = arguments.get("steps_per_epoch") or math.ceil(count / size)
        steps = self.first_step + each * (
            arguments.get("epochs", 1) - arguments.get("initial_epoch", 0)
        )
        least, most = model.published_steps
        if count < _FEW_IMAGES and steps < least:
            print(
                f"{self.owner} trains for {steps:,} steps on {count:,} images: published runs "
                f"used {least:,} to {most:,} steps (docs/which_model.md)."
            )

    def _adapt_edges(self, training: FitData) -> None:
        """Lets standardizing edges learn the data's units, once, before the first training run."""
        model = self.model
        for name, edge in _waiting_edges(model).items():
            batches = training.learned_from(self.arguments.get("steps_per_epoch"))
            if batches is None:
                raise ValueError(
                    "The data is distributed, and its means are not known yet: call "
                    f"model.edges['{name}'].adapt([examples]) first."
                )
            edge.adapt(model.named_parts(batch)[name] for batch in batches)


class EvaluateCall(Call):
    """One call to `evaluate` by a user; `fit` has already inspected its validation data."""

    @override
    def prepare(self):
        self.check_arguments()
        data = fit_data(self.model, self.owner, self.arguments.get("x"), self.arguments.get("y"))
        self.divide(data)
        data.check(self.arguments.get("steps"))
        self.look(data)
        warn_of_unknown_units(self.model)
        self.arguments |= {"x": data.x, "y": data.y}


class PredictCall(Call):
    """One call to `predict`, whose examples are the inputs of a capability."""

    @override
    def prepare(self):
        self.check_arguments()
        x = self.arguments["x"]
        if not in_order(x):
            refuse_no_data(self.owner, "x")
        refuse_masked("x", x)
        warn_of_unknown_units(self.model)
        edges = self._edges()
        data = fit_data(self.model, self.owner, x, edges=edges)
        self.divide(data)
        for edge, part in zip(edges, in_order(data.first()), strict=False):
            edge.seen(part)  # warns about values in another range
        self.arguments["x"] = data.x

    def _edges(self) -> list[Edge]:
        """Returns the edges of the capability's arguments, or of x without a capability."""
        model = self.model
        if model.predicts is None:
            return [model.edges["x"]]
        names = getattr(type(model), model.predicts).takes(model)
        return [model.edges[name] for name in names]


def _waiting_edges(model) -> dict[str, Any]:
    """Returns the edges of the training data whose units the first `fit` learns, by name."""
    edges = model.edges | model.training_edges
    return {n: edges[n] for n in model.batch if not getattr(edges[n], "adapted", True)}


class OnBatchCall(Call):
    """One call with a single batch, whose floats must be in the range that `fit` has inferred.

    A single batch may be too dark to reveal its range.
    """

    @override
    def prepare(self):
        _refuse_weights(self.owner, self.arguments)
        arguments = self.arguments
        data = Arrays(self.model, self.owner, arguments.get("x"), arguments.get("y"))
        for name, part in self.model.named_parts(data.first()).items():
            edge = self.model.training_edges.get(name)
            if edge is not None and edge.seen(part) not in (edge, None):
                raise ValueError(
                    f"{self.owner} got {edge.name} in a different range than in the last call to "
                    f"fit or evaluate: expected {edge.expected()}. Pass both in the same range."
                )
        arguments |= {"x": data.x, "y": data.y}


class TrainOnBatchCall(OnBatchCall):
    """One call to `train_on_batch`, which does not learn units: units would vary by batch."""

    trains = True

    @override
    def prepare(self):
        for name in _waiting_edges(self.model):
            raise ValueError(
                f"{self.owner} does not know the mean and standard deviation of {name} yet, and "
                f"train_on_batch does not learn them. Call fit first, or model.edges['{name}']"
                ".adapt([examples])."
            )
        refuse_frozen(self.model)
        super().prepare()


class TestOnBatchCall(OnBatchCall):
    """One call to `test_on_batch`."""

    @override
    def prepare(self):
        warn_of_unknown_units(self.model)
        super().prepare()


class _Known:
    """The state that a model learned from its data: its edges, their columns, and their units."""

    def __init__(self, model):
        self.model = model
        self.edges = [(edges, dict(edges)) for edges in (model.edges, model.training_edges)]
        every = [edge for _, edges in self.edges for edge in edges.values()]
        self.units = [
            (edge, edge.columns, edge.get_weights())
            for edge in every
            if hasattr(edge, "adapted")
        ]

    def restore(self) -> None:
        """Restores the saved state, and drops compiled steps that have read later values."""
        for edge, columns, weights in self.units:
            edge.columns = columns
            edge.set_weights(weights)
        for edges, old in self.edges:
            for name, edge in list(edges.items()):
                if edge is old.get(name):
                    continue
                self.model.train_function = self.model.test_function = None
                if name in old:
                    edges[name] = old[name]
                else:
                    edges.pop(name)


def _parts_together(model, args: tuple) -> tuple:
    """Combines all positional arguments after the first one, because Keras accepts only x and y.

    A model with three parts per batch also accepts `fit(source, labels, target)`.
    """
    count = len(model.batch)
    data = args[2:] and hasattr(args[2], "__len__") and not isinstance(args[2], str)
    if count < 3 or len(args) < count or not data:
        return args
    return (args[0], tuple(args[1:count]), *args[count:])


def _refuse_weights(owner: str, arguments: dict[str, Any]) -> None:
    for name in ("sample_weight", "class_weight"):
        if arguments.get(name) is not None:
            raise ValueError(
                f"{owner} got {name}, which its losses do not use: sample examples in proportion "
                "to their weights instead (keras_gen.data.weighted_stream)."
            )


def _refuse_other_range(seen: dict, held_out: dict) -> None:
    for name, edge in held_out.items():
        if seen.get(name, edge) != edge:
            raise ValueError(
                f"{name} of validation_data has a different range than the training data: "
                f"expected {seen[name].expected()} in both."
            )


def _warn_of_few_values(model, x) -> None:
    """Warns about columns with repeated values, which have no density."""
    edge = model.edges["x"]
    if not isinstance(edge, Vectors | StandardizedVectors):
        return
    rows = np.reshape(x, [-1, edge.shape[-1]])
    if len(rows) < _ENOUGH_ROWS:
        return
    names = getattr(edge, "columns", ()) or range(len(rows.T))
    counts = {name: len(np.unique(values)) for name, values in zip(names, rows.T, strict=True)}
    few = [
        f"{count} in column {name}" for name, count in counts.items() if 4 * count <= len(rows)
    ]
    if few:
        warn(
            f"{type(model).__name__}.log_prob has no upper bound where values repeat, and few "
            f"values in the {len(rows)} rows are distinct ({', '.join(few)}): use "
            "MADE.for_table or Flow.for_table (which can model such columns), spread the "
            "values with keras_gen.data.NormalScores, or leave the columns out."
        )


# Checks ---------------------------------------------------------------------------------------

_OWN_SCHEDULES = "give each optimizer its own schedule (keras_gen.core.schedules)"
# Keras callbacks that change or save `model.optimizer`, and their replacements.
_OF_ONE_OPTIMIZER = {
    keras.callbacks.LearningRateScheduler: _OWN_SCHEDULES,
    keras.callbacks.ReduceLROnPlateau: _OWN_SCHEDULES,
    keras.callbacks.BackupAndRestore: "use keras_gen.core.TrainingState",
    keras.callbacks.SwapEMAWeights: "use keras_gen.core.averaged_weights",
    keras.callbacks.TensorBoard: "leave write_steps_per_second out",
}
# Keras callbacks that have no effect on single batches by default.
_OF_EPOCHS = ("ModelCheckpoint", "BackupAndRestore", "TensorBoard")
_BATCH_METHODS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)


def refuse_callbacks(owner: str, optimizers: list[str], callbacks) -> None:
    """Raises a ValueError for callbacks that need a single optimizer if the model has several."""
    for callback in callbacks:
        for kind, way_out in _OF_ONE_OPTIMIZER.items():
            # Only TensorBoard's option `write_steps_per_second` uses the steps of
            # `model.optimizer`.
            works = getattr(callback, "write_steps_per_second", True)
            if isinstance(callback, kind) and works:
                raise ValueError(
                    f"{type(callback).__name__} uses `model.optimizer`, but {owner} has "
                    f"{' and '.join(optimizers)}: {way_out}."
                )


def follows_batches(callback) -> bool:
    """Returns whether a callback does something before or after each training batch."""
    kinds: list = [keras.callbacks.Callback]
    if "epoch" in (getattr(callback, "save_freq", ""), getattr(callback, "update_freq", "")):
        kinds += [getattr(keras.callbacks, name) for name in _OF_EPOCHS]
    if getattr(callback, "accepts_several_steps", False):
        return False
    return any(
        getattr(getattr(callback, name), "__func__", None)
        not in [getattr(kind, name) for kind in kinds]
        for name in _BATCH_METHODS
    )


def refuse_frozen(model) -> None:
    """Raises a ValueError if a weight was frozen or unfrozen after `compile`.

    Such a change has no effect, because the compiled step and the optimizers use the weights that
    were trainable when `compile` was called.
    """
    for player, before in model._weights_at_compile.items() if model.compiled else ():
        # All networks of the player are checked, even if a step uses only some of them.
        now = trainable_weights(*model._networks_of[player])
        kept = {id(weight) for weight in before} & {id(weight) for weight in now}
        for weights, what in ((before, "frozen"), (now, "made trainable")):
            for weight in weights:
                if id(weight) not in kept:
                    raise ValueError(
                        f"The weight {weight.path} was {what} after compile, which has no "
                        f"effect on {player}: set `trainable` first, and then call compile."
                    )


# Methods of `GenerativeModel` ------------------------------------------------------------------


def fit(self, *args, **kwargs):
    """Trains as in `keras.Model.fit`; invalid data and non-finite losses raise clear errors.

    A call that fails or is interrupted before its first step leaves the model unchanged: the units,
    columns, and class names that the call inferred are discarded.

    `x` and `validation_data` can be a `keras_gen.data.Source`, such as one from `image_folder`.

    Raises:
        NonFiniteLossError: If a loss, a gradient, or a weight is NaN or infinite. The step does not
            change the weights that the affected loss trains.
        ValueError: If a batch does not match its edges, if there are no batches, if
            `steps_per_epoch` or `epochs` is 0, if examples or classes have weights, if a callback
            needs a single optimizer, or if a layer was frozen after `compile`.
    """
    return FitCall(self, keras.Model.fit.__get__(self), args, kwargs).run()


def evaluate(self, *args, **kwargs):
    """Evaluates as in `keras.Model.evaluate`, and rejects invalid data as in `fit`."""
    if CALLED_BY_FIT in kwargs:  # the data has already been inspected
        return keras.Model.evaluate(self, *args, **kwargs)
    return EvaluateCall(self, keras.Model.evaluate.__get__(self), args, kwargs).run()


def train_on_batch(self, *args, **kwargs):
    """Trains on one batch, as in `keras.Model.train_on_batch`.

    Raises:
        NonFiniteLossError: See `fit`.
        ValueError: If the model standardizes examples but does not know their units yet, if the
            batch does not match the model's edges, or if examples or classes have weights.
    """
    return TrainOnBatchCall(self, keras.Model.train_on_batch.__get__(self), args, kwargs).run()


def test_on_batch(self, *args, **kwargs):
    """Evaluates as in `keras.Model.test_on_batch`, and rejects invalid data as in `fit`."""
    return TestOnBatchCall(self, keras.Model.test_on_batch.__get__(self), args, kwargs).run()


def predict(self, *args, **kwargs):
    """Returns the output of the capability named in `predicts`, as in `keras.Model.predict`.

    Raises:
        NotImplementedError: If the model has no such capability.
        ValueError: If the data does not match the edges, or if values are masked.
    """
    return PredictCall(self, keras.Model.predict.__get__(self), args, kwargs).run()
