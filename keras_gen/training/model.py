"""The base of every model: players, randomness, reports, input checks, configuration."""

import copy
import inspect

import keras
import numpy as np
import tensorflow as tf

from keras_gen.training import noise
from keras_gen.training.checks import refusal, require
from keras_gen.training.minimize import NOT_FINITE


class NonFiniteLossError(FloatingPointError):
    """A loss became NaN or infinite; the weights of its player are those before that step."""


def require_built(*networks: keras.Model) -> None:
    """Refuses networks that wait for data before they make their weights.

    Raises:
        ValueError: If there is one; the message names it.
    """
    for network in networks:
        if not network.built:
            raise ValueError(
                f"The network '{network.name}' has no weights yet: build it with a keras.Input."
            )


class GenerativeModel(keras.Model):
    """Base of all models: who is trained by which optimizer, and what every step needs.

    A subclass names its players (`players`), its reported losses (`reported`) and writes
    `train_step`. Constructor arguments are kept in attributes of the same names, which is all that
    `get_config` and `.keras` files need.

    Args:
        seed: Seed of all randomness in the steps.
        **kwargs: `name` and the like, of `keras.Model`.
    """

    reported: tuple[str, ...] = ()
    data_range: tuple[float, float] = (-1.0, 1.0)

    def __init__(self, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        # Aggregation: every replica adds the same one.
        counter = dict(
            shape=(), dtype="int64", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip
        self.step = self.add_weight(name="step", **counter)
        self.evaluation_step = self.add_weight(name="evaluation_step", **counter)
        # The networks arrive built; the model itself owns nothing that waits for data.
        self.built = True

    # Configuration ---------------------------------------------------------------------------

    def get_config(self) -> dict:
        """Returns every constructor argument, serialised, read from the attribute of its name."""
        config = {"name": self.name}
        for argument in self._arguments():
            value = getattr(self, argument)
            config[argument] = keras.saving.serialize_keras_object(value)
        return config

    @classmethod
    def from_config(cls, config: dict):
        """Builds the model from what `get_config` returned."""
        config = copy.deepcopy(config)  # Keras empties what it reads.
        return cls(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})

    @classmethod
    def _arguments(cls) -> list[str]:
        names = []
        for base in cls.__mro__:
            if issubclass(base, GenerativeModel) and "__init__" in vars(base):
                kinds = inspect.signature(base.__init__).parameters.values()
                names += [p.name for p in kinds if p.kind is not p.VAR_KEYWORD]
        return [name for name in dict.fromkeys(names) if name != "self"]

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The constructor arguments that are networks, by name."""
        found = {name: getattr(self, name) for name in self._arguments()}
        return {name: value for name, value in found.items() if isinstance(value, keras.Model)}

    # Players ---------------------------------------------------------------------------------

    def players(self) -> dict[str, list[keras.Model]]:
        """Returns the name of each optimizer and the networks that it trains."""
        return {"optimizer": list(self.networks.values())}

    def compile(self, *, run_eagerly=False, jit_compile=False, steps_per_execution=1, **optimizers):
        """Gives every player its optimizer and creates all state that training needs.

        Optimizers are built here against their own networks, because a step under a distribution
        strategy must not create variables. `mixed_float16` networks get a dynamic loss scale.

        Args:
            run_eagerly: As in Keras.
            jit_compile: As in Keras; XLA, for one device.
            steps_per_execution: As in Keras, for one device.
            **optimizers: One optimizer (object, name or config) for every name in `players()`.

        Raises:
            ValueError: If an optimizer is missing, unknown, shared, or has a learning rate below 0,
                a network has no weights yet, or several replicas are to do what one device can.
        """
        players = self.players()
        if set(optimizers) != set(players):
            raise ValueError(
                f"{type(self).__name__}.compile takes the optimizers {sorted(players)}, but got "
                f"{sorted(optimizers)}."
            )
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if replicas > 1 and (jit_compile or steps_per_execution > 1):
            raise ValueError(
                f"jit_compile={jit_compile} and steps_per_execution={steps_per_execution} on "
                f"{replicas} replicas: Keras can do either on one device only."
            )
        objects = [o for o in optimizers.values() if isinstance(o, keras.optimizers.Optimizer)]
        if len({id(optimizer) for optimizer in objects}) < len(objects):
            raise ValueError("Two players share one optimizer object: give each its own.")
        super().compile(
            optimizer=None, run_eagerly=run_eagerly, jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
        )  # fmt: skip
        self._refuse_replicated_randomness()
        built = [self._build_optimizer(name, optimizers[name], players[name]) for name in players]
        for name, optimizer in zip(players, built, strict=True):
            setattr(self, name, optimizer)
        self._means = {name: keras.metrics.Mean(name=name) for name in self.reported}

    def _build_optimizer(self, name, identifier, networks):
        try:
            optimizer = keras.optimizers.get(identifier)
        except ValueError:
            optimizer = None
        if optimizer is None:
            raise ValueError(
                f"{name} is {identifier!r}: expected a keras.optimizers.Optimizer or the name of "
                "one, such as 'adam'."
            )
        require_built(*networks)
        rate = getattr(optimizer, "_learning_rate", None)
        if isinstance(rate, keras.Variable) and not rate.numpy() >= 0:
            raise ValueError(f"{name} has learning rate {rate.numpy():g}: it must not be negative.")
        # The layers are asked, because a loaded network does not keep the policy of its own.
        layers = [layer for network in networks for layer in network._flatten_layers()]
        scaled = any(layer.compute_dtype == "float16" for layer in layers)
        if scaled and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build([v for network in networks for v in network.trainable_variables])
        # When `fit` ends, Keras would overwrite the weights with their averages, and only those of
        # the player called `optimizer`. Here they are for `averaged_weights`.
        optimizer.finalize_variable_values = lambda variables: None
        return optimizer

    def _refuse_replicated_randomness(self):
        """Keras' random layers draw the same values on every replica, which is never meant."""
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return
        for name, network in self.networks.items():
            for layer in network._flatten_layers():
                if layer._seed_generators:
                    raise ValueError(
                        f"{name} holds the layer '{layer.name}' ({type(layer).__name__}), which "
                        "draws the same values on every replica: use keras_gen.layers instead."
                    )

    def get_compile_config(self) -> dict:
        """Returns the optimizers' configs, so that a `.keras` file restores a compiled model."""
        if not self.compiled:
            return {}
        serialize = keras.saving.serialize_keras_object
        return {name: serialize(getattr(self, name)) for name in self.players()} | {
            "run_eagerly": self.run_eagerly,
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config: dict):
        """Compiles with what `get_compile_config` returned."""
        self.compile(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})

    def training_variables(self) -> list:
        """All state that the next step depends on: weights, counters, pools, optimizers."""
        optimizers = [getattr(self, name) for name in self.players()] if self.compiled else []
        return [*self.variables, *(v for o in optimizers for v in o.variables)]

    # Steps -----------------------------------------------------------------------------------

    @property
    def metrics(self) -> list:
        """The running means of the reported losses."""
        return list(getattr(self, "_means", {}).values())

    def reset_metrics(self):
        """Also restarts the randomness of evaluation, so that `evaluate` repeats itself."""
        super().reset_metrics()
        self.evaluation_step.assign(0)

    def report(self, training: bool = True, **losses) -> dict:
        """Ends a step: counts it and returns the running means of the losses.

        Args:
            training: False in `test_step`.
            **losses: Tensors `[batch]` (weighted by their size) or scalars, for names in
                `reported`.
        """
        # A step whose losses were not finite does not count.
        with tf.control_dependencies(list(losses.values())):
            (self.step if training else self.evaluation_step).assign_add(1)
        for name, value in losses.items():
            self._means[name].update_state(tf.cast(value, tf.float32))
        results = {name: self._means[name].result() for name in losses}
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras concatenates the workers' results along axis 0, which scalars do not have.
            results = {name: tf.reshape(value, (1,)) for name, value in results.items()}
        return results

    def normal(self, use: str, shape, training: bool = True) -> tf.Tensor:
        """Standard normal noise for one use in this step; `shape[0]` is the replica's batch."""
        return noise.normal(shape, self._seed(use, training))

    def uniform(self, use: str, shape, training: bool = True) -> tf.Tensor:
        """Uniform noise in [0, 1) for one use in this step; `shape[0]` is the replica's batch."""
        return noise.uniform(shape, self._seed(use, training))

    def _seed(self, use, training):
        if training:
            return noise.stateless_seed(self.seed, self.step.value, use)
        return noise.stateless_seed(self.seed, self.evaluation_step.value, use + "/evaluation")

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Keras would call the model on data to build it; networks and optimizers are built."""

    # Edges -----------------------------------------------------------------------------------

    def prepare(self, images) -> tf.Tensor:
        """Checks images and brings them into `data_range` as float32: the edge of every step.

        Args:
            images: `[batch, ...]`, uint8 in 0..255, or float in `data_range`.

        Returns:
            Float32 tensor in `data_range`.

        Raises:
            TypeError: If the dtype is neither.
            ValueError: In eager use, if a value is outside the range or not finite (in `fit`, the
                same sentence is raised by `fit`).
        """
        images = tf.convert_to_tensor(images)
        low, high = self.data_range
        if images.dtype == tf.uint8:
            return tf.cast(images, tf.float32) * ((high - low) / 255.0) + low
        if not images.dtype.is_floating:
            raise TypeError(
                f"Images have dtype {images.dtype.name}: expected uint8 in 0..255, or float in "
                f"[{low:g}, {high:g}]."
            )
        images = tf.cast(images, tf.float32)
        least, most = tf.reduce_min(images), tf.reduce_max(images)
        # Comparisons with NaN are false, so NaN is refused too.
        inside = (least >= low - 1e-3) & (most <= high + 1e-3)
        expected = f"expected floats in [{low:g}, {high:g}] or uint8 in 0..255."
        sentence = f"Images have values from {{}} to {{}}: {expected}"
        with tf.control_dependencies([require(inside, sentence, least, most)]):
            return tf.identity(images)

    def to_uint8(self, images: tf.Tensor) -> tf.Tensor:
        """Brings float images in `data_range` back to uint8 in 0..255, rounded."""
        low, high = self.data_range
        scaled = (tf.cast(images, tf.float32) - low) * (255.0 / (high - low))
        return tf.cast(tf.clip_by_value(tf.round(scaled), 0.0, 255.0), tf.uint8)

    def like(self, images, result: tf.Tensor) -> np.ndarray:
        """Returns `result` as numpy in the kind of `images`: uint8 for uint8, else float32."""
        as_uint8 = tf.convert_to_tensor(images).dtype == tf.uint8
        return (self.to_uint8(result) if as_uint8 else tf.cast(result, tf.float32)).numpy()

    def fit(self, *args, **kwargs):
        """Trains as `keras.Model.fit`; bad data and non-finite losses end it with one sentence.

        Raises:
            NonFiniteLossError: If a loss is NaN or infinite. Its player's weights are those before
                that step.
            ValueError: If a batch is outside `data_range`, or `steps_per_epoch` or `epochs` is 0.
        """
        for name in ("epochs", "steps_per_epoch"):
            if kwargs.get(name) is not None and kwargs[name] < 1:
                raise ValueError(f"{name} is {kwargs[name]}: there must be at least 1.")
        if isinstance(args[0] if args else kwargs.get("x"), tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras warns about its own default otherwise.
        with _plain_errors(self, kwargs.get("callbacks")):
            return super().fit(*args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """Evaluates as `keras.Model.evaluate`, with `fit`'s error messages."""
        with _plain_errors(self, None):
            return super().evaluate(*args, **kwargs)


class _plain_errors:  # noqa: N801
    """Turns the runtime's errors about our own checks into one plain sentence."""

    def __init__(self, model, callbacks):
        self.model, self.callbacks = model, callbacks

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        text = str(getattr(error, "message", ""))
        if not isinstance(error, tf.errors.OpError):
            return
        if NOT_FINITE in text:
            loss = text.split(NOT_FINITE)[1].split()[0]
            checkpoints = [c.latest for c in self._callbacks() if getattr(c, "latest", None)]
            where = checkpoints[0] if checkpoints else "none"
            step = self.model.step.numpy()
            raise NonFiniteLossError(
                f"{loss} was not finite at step {step}, and changed no trainable weight. Last good "
                f"checkpoint: {where}. Lower the learning rate, or look for bad values in the data."
            ) from error
        if sentence := refusal(text):
            raise ValueError(sentence) from error

    def _callbacks(self):
        return getattr(self.callbacks, "callbacks", self.callbacks) or []
