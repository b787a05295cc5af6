"""What a trained model can do, written once: a Python method and a served signature alike."""

import dataclasses
import functools
import inspect
import numbers
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_gen.bases.edges import Edge
from keras_gen.training.noise import stateless_seed


def capability(function: Callable) -> Callable:
    """Makes a model's function of tensors a method for arrays and a signature of its export.

    The names of its parameters are those of the model's `edges`, through which its arguments come
    in. It returns a dict of tensors; those named like an edge leave through it, others as float32.
    The method takes arrays of any number of examples, after the first also one number for all, and
    works them off in batches, by a graph that is traced once. It returns an array, or of several
    outputs a tuple. Where data of an edge came in as floats, they leave as floats.

    Example:
    ```python
    class Encodes(GenerativeModel):
        @capability
        def encode(self, x):
            return {"codes": self.encoder(x, training=False)}
    ```
    """
    takes = [name for name in inspect.signature(function).parameters if name != "self"]

    signature = inspect.signature(function)
    size = inspect.Parameter("batch_size", inspect.Parameter.KEYWORD_ONLY, default=256)
    signature = signature.replace(parameters=[*signature.parameters.values(), size])

    @functools.wraps(function)
    def method(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        self, *arrays, batch_size = bound.arguments.values()
        return _run(self, function, takes, arrays, batch_size)

    method.__signature__ = signature  # type: ignore[attr-defined]
    method.function, method.takes = function, takes  # type: ignore[attr-defined]
    return method


class Capable:
    """What a model with capabilities needs; all bases of the families have it."""

    edges: dict[str, Edge]

    def signatures(self) -> dict:
        """Returns each capability as (function of tensors, their specifications), to be served."""
        found = {}
        for name in dict.fromkeys(n for c in type(self).__mro__ for n in vars(c)):
            method = getattr(type(self), name)
            if hasattr(method, "function"):
                found[name] = self.signature(method.function, method.takes)
        return found

    def signature(self, function: Callable, takes) -> tuple[Callable, list[tf.TensorSpec]]:
        """Returns one function of the model's own tensors as a signature."""
        edges = [self.edges[name] for name in takes]

        @tf.autograph.experimental.do_not_convert
        def serve(*values):
            inner = [edge.prepare(value) for edge, value in zip(edges, values, strict=True)]
            return self._served(function(self, *inner))

        return serve, [edge.spec() for edge in edges]

    def _served(self, outputs: dict) -> dict:
        """Outputs by the names and in the forms that clients know."""
        return {k: v for name, x in outputs.items() for k, v in self._leave(name, x).items()}

    def _leave(self, name, value) -> dict:
        edge = self.edges.get(name)
        restored = value if edge is None else edge.restore(value)
        return restored if isinstance(restored, dict) else {edge.name if edge else name: restored}

    def graph(self, key, function: Callable, specs) -> Callable:
        """Returns a function of tensors as a graph, traced once and kept under the key."""
        graphs = self.__dict__.setdefault("_graphs", {})
        if key not in graphs:
            # As in Keras' steps, conditions are TensorFlow's: AutoGraph would only cost seconds.
            graphs[key] = tf.function(function, input_signature=specs, autograph=False)
        return graphs[key]


def _run(model, function, takes, arrays, batch_size):
    edges, first = [model.edges[name] for name in takes], len(arrays[0])
    # A number is for all examples.
    arrays = [np.full(first, a) if isinstance(a, numbers.Number) else a for a in arrays]
    counts = [len(array) for array in arrays]
    if len(set(counts)) > 1 or not counts[0]:
        found = " and ".join(f"{n} {edge.name}" for n, edge in zip(counts, edges, strict=True))
        raise ValueError(f"{function.__name__} got {found}: expected at least 1, and as many each.")
    specs = [edge.inner_spec() for edge in edges]
    graph = model.graph(function, functools.partial(function, model), specs)
    kept = {
        name
        for name, edge, array in zip(takes, edges, arrays, strict=True)
        if edge.keeps_floats and np.issubdtype(np.asarray(array[:1]).dtype, np.floating)
    }
    parts = []
    for start in range(0, len(arrays[0]), batch_size):
        batch = [array[start : start + batch_size] for array in arrays]
        outputs = graph(*(edge.prepare(b) for edge, b in zip(edges, batch, strict=True)))
        parts.append(to_arrays(model, outputs, kept))
    whole = tuple(np.concatenate(part) for part in zip(*parts, strict=True))
    return whole if len(whole) > 1 else whole[0]


def to_arrays(model, outputs: dict, kept=()) -> list[np.ndarray]:
    """A capability's outputs as arrays, through the model's edges but for those named `kept`."""
    restored: list = []
    for name, value in outputs.items():
        restored += [value] if name in kept else model._leave(name, value).values()
    return [_array(value) for value in restored]


def _array(value):
    if value.dtype == tf.string:
        return np.vectorize(bytes.decode, otypes=[str])(value.numpy())
    return (tf.cast(value, tf.float32) if value.dtype.is_floating else value).numpy()


@dataclasses.dataclass(frozen=True)
class Condition:
    """An argument of `sample`: the edge that checks it, and its value unless one is given."""

    edge: Edge
    default: float


class Sampler(Capable):
    """A model that makes examples of noise: `sample`, the same in Python and served.

    A subclass says what the noise is (`noise`) and what becomes of it (`from_noise`); parameters of
    `from_noise` after the noise are conditions, by the names of the model's edges. One that is a
    class is asked for as a single label, of which every example gets a copy.
    """

    def noise(self, n, key) -> tf.Tensor:
        """Draws the noise of n examples, `[n, ...]` or a structure of such.

        Args:
            n: How many, an int or a scalar tensor.
            key: Stateless seed, int64 `[2]`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its noise is.")

    def from_noise(self, noise, **conditions) -> tf.Tensor:
        """Returns what the noise becomes, as the edge `x` restores it."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its noise becomes.")

    def made_of(self, noise, **conditions) -> tf.Tensor:
        """Returns what `sample` makes of noise: by default `from_noise`, of all conditions."""
        return self.from_noise(noise, **conditions)

    def drawn_noise(self, n, seed):
        """Returns the noise of `sample(n, seed)`."""
        if isinstance(n, int) and n < 1:
            raise ValueError(f"n is {n}: draw at least 1.")
        return self.noise(n, stateless_seed(0, seed, "sample"))

    def conditions(self) -> dict[str, Condition]:
        """Returns the arguments of `sample` beside the number and the seed, by name."""
        _, *rest = inspect.signature(self.from_noise).parameters.values()
        return {p.name: Condition(self.edges[p.name], p.default) for p in rest}

    def sample(
        self, n: int, seed: int | None = None, batch_size: int = 64, **conditions
    ) -> np.ndarray:
        """Draws examples.

        Args:
            n: How many.
            seed: The same seed gives the same examples, from the model and from its export; None
                draws anew.
            batch_size: Examples at once.
            **conditions: Those of the model (`conditions()`), such as `label` or `temperature`:
                one for all, or of classes one for each example.

        Returns:
            Examples `[n, ...]`, images as uint8.

        Raises:
            TypeError: If there is no such condition.
            ValueError: If `n` is below 1, or a condition out of range.
        """
        known = self.conditions()
        if unknown := sorted(conditions.keys() - known.keys()):
            raise TypeError(
                f"{type(self).__name__}.sample has no condition {unknown[0]!r}: it has "
                f"{', '.join(known) or 'none'}."
            )
        if seed is None:
            seed = int(np.random.default_rng().integers(2**31))
        noise = self.drawn_noise(n, seed)
        values = self._prepared([conditions.get(name, known[name].default) for name in known], n)
        specs = tf.nest.map_structure(lambda t: tf.TensorSpec([None, *t.shape[1:]], t.dtype), noise)
        specs = [specs, *(c.edge.inner_spec() for c in known.values())]
        draw = self.graph("sample", functools.partial(_generated, self), specs)
        parts = []
        for start in range(0, n, batch_size):
            part = functools.partial(_part, slice(start, start + batch_size))
            some = tf.nest.map_structure(part, [noise, *values])
            parts += to_arrays(self, draw(*some))
        return np.concatenate(parts)

    def signatures(self) -> dict:
        """Returns the capabilities, and `sample(seed, n)` with the conditions, one for all."""
        known = self.conditions()

        @tf.autograph.experimental.do_not_convert
        def sample(seed, n, *values):
            noise = self.drawn_noise(n, seed)
            return self._served(_generated(self, noise, *self._prepared(values, n)))

        scalars = [tf.TensorSpec([], tf.int32, name=name) for name in ("seed", "n")]
        asked = [tf.TensorSpec([], c.edge.inner_spec().dtype, name=n) for n, c in known.items()]
        return super().signatures() | {"sample": (sample, [*scalars, *asked])}

    def _prepared(self, values, n) -> list[tf.Tensor]:
        """Conditions of n examples that went through their edges."""
        edges = [condition.edge for condition in self.conditions().values()]
        return [_spread(e, e.prepare(v), n) for e, v in zip(edges, values, strict=True)]

    def signature_defaults(self) -> dict[str, dict[str, float]]:
        """Returns what a client of a signature may leave out: its inputs' usual values."""
        return {"sample": {name: c.default for name, c in self.conditions().items()}}


def _generated(model, noise, *conditions):
    names = model.conditions()
    return {"x": model.made_of(noise, **dict(zip(names, conditions, strict=True)))}


def _part(some, value):
    """Some of the examples, or what is for all of them."""
    return value[some] if value.shape.rank else value


def _spread(edge, value, n):
    """One value for every example, where the edge is of examples."""
    if not edge.inner_spec().shape.rank:
        return value
    if value.shape.rank and value.shape[0] not in (1, n):
        raise ValueError(f"There are {value.shape[0]} {edge.name} for n={n}: give one, or {n}.")
    return tf.broadcast_to(value, [n])
