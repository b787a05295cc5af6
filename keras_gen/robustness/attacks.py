"""Adversarial examples: small changes of an input that raise the loss of a classifier most."""

import functools
from collections.abc import Callable
from typing import Literal

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_array, checked_integer, checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.core import noise, schedules, stateless
from keras_gen.core.schedules import Weight
from keras_gen.declared import Declared, Positive, Steps
from keras_gen.losses.per_example import serializable
from keras_gen.messages import warn

# Above this difference of logits float32 rounds the cross-entropy's gradient, and soon to 0.
SURE = 16.0
# The usual range of inputs, others that a network may be made for, and what tells that from chance.
UNIT = (0.0, 1.0)
RANGES = ((-1.0, 1.0), (0.0, 255.0))
FEWEST = 10  # examples
MUCH_BETTER = 0.2  # accuracy


class Attack(Declared):
    """Base of the attacks: steps along the gradient of the loss by the input, in a ball around it.

    As in Foolbox and the Adversarial Robustness Toolbox, `epsilon` is in the units of the input,
    the norm is that of the change, and a targeted attack lowers the loss of a class in place of
    raising that of the true one. What leaves the range of the input is clipped.

    Args:
        epsilon: Radius of the ball, in the units of the input: a number or, in a training, a
            schedule.
        norm: `"inf"` or `"2"`: the largest change of a value, or the root of the sum of squares.
        targeted: Whether `labels` are the classes to reach.

    Raises:
        ValueError: If an argument is out of its range.
    """

    epsilon: Weight = 0.3
    norm: Literal["inf", "2"] = "inf"
    targeted: bool = False

    # The number of steps, the length of each as a fraction of epsilon, and where they begin.
    steps = 1
    relative_step = 1.0
    random_start = False
    # How far all steps together lead where no length is given, as a multiple of epsilon.
    reach = 1.0

    def changed(
        self, loss_fn: Callable, x, seed, low: float = 0.0, high: float = 1.0, epsilon=None
    ) -> tf.Tensor:
        """Returns adversarial examples, in a training step or any other graph.

        Args:
            loss_fn: Function of examples that returns a loss `[batch]` to raise, and does not mix
                the examples of a batch.
            x: Float32 examples `[batch, ...]` in the range.
            seed: Seed of random starts, int64 `[2]`, such as `stateless_seed` of a model.
            low: Smallest value of an input.
            high: Largest value of an input.
            epsilon: In place of the attack's own: the value of its schedule at this step.
        """
        radius = self.radius(x, epsilon)

        def step(count, values):
            _, slope = loss_and_slope(loss_fn, values)
            length = self.step_fraction * radius
            moved = values + self.sign * length * self.direction(slope)
            return count + 1, tf.clip_by_value(self.within(moved - x, radius) + x, low, high)

        start = x
        if self.random_start:
            start = tf.clip_by_value(x + self.draw(x, seed, radius), low, high)
        _, found = tf.while_loop(
            lambda count, values: count < self.steps,
            step,
            (tf.constant(0), start),
            maximum_iterations=self.steps,
        )
        return tf.stop_gradient(found)

    @property
    def step_fraction(self) -> float:
        """Length of a step as a fraction of epsilon; by default, steps reach far enough."""
        return self.reach / self.steps if self.relative_step is None else self.relative_step

    @property
    def sign(self) -> float:
        """1.0 where the loss is raised, -1.0 where that of a class to reach is lowered."""
        return -1.0 if self.targeted else 1.0

    def radius(self, x, epsilon=None) -> tf.Tensor:
        """Returns the radius of the ball as `changed` takes it, in the dtype of the examples."""
        return tf.cast(schedules.final(self.epsilon) if epsilon is None else epsilon, x.dtype)

    def check_epsilon(self, low: float, high: float) -> None:
        """Raises a ValueError if a value may change by more than its range."""
        epsilon = self.epsilon
        most = epsilon.bounds[1] if isinstance(epsilon, schedules.Schedule) else epsilon
        if self.norm == "inf" and most > high - low:
            raise ValueError(
                f"epsilon is {most:g} and the inputs range from {low:g} to {high:g}: expected at "
                f"most {high - low:g}, in the units of the input; bounds are those of the network."
            )

    def warn_of_little(self, low: float, high: float) -> None:
        """Warns if no value can change by half a level of 256, or no step reaches the border."""
        covered = self.steps * self.step_fraction
        if covered < 1:
            warn(
                f"{type(self).__name__}'s {self.steps} steps of {self.step_fraction:g} of epsilon "
                f"cover {covered:.2f} of its radius, so that a network looks more robust than it "
                "is: leave relative_step out, or take more steps."
            )
        most = schedules.final(self.epsilon)
        if self.norm == "inf" and 0 < most < (high - low) / 510:
            warn(
                f"epsilon is {most:g}, less than half a level of inputs from {low:g} to {high:g}: "
                "it is in the units of the input."
            )

    def direction(self, slope):
        """Returns the step of length 1 along which a linear loss rises most."""
        return tf.sign(slope) if self.norm == "inf" else unit(slope)

    def within(self, change, radius):
        """Returns the nearest change inside the ball."""
        if self.norm == "inf":
            return tf.clip_by_value(change, -radius, radius)
        return unit(change) * tf.minimum(radius, _norms(change))

    def draw(self, x, seed, radius):
        """Returns a random change of examples, uniform in the ball."""
        if self.norm == "inf":
            return (2.0 * noise.uniform(tf.shape(x), seed) - 1.0) * radius
        direction = unit(noise.normal(tf.shape(x), seed))
        ones = [1] * (x.shape.rank - 1)
        part = noise.uniform([tf.shape(x)[0], *ones], tf.reverse(seed, [0]))
        # The volume within a radius grows by its power of the number of values.
        return radius * part ** (1.0 / x.shape[1:].num_elements()) * direction

    @checked_types
    def __call__(
        self,
        network: Callable,
        images: np.ndarray,
        labels: np.ndarray,
        bounds: tuple[float, float] | None = None,
        seed: int = 0,
        batch_size: int = 100,
    ) -> np.ndarray:
        """Returns adversarial examples of arrays, float32 `[n, ...]`.

        Args:
            network: Any Keras model from floats in `bounds` to logits `[n, classes]`, or to a dict
                that has `"logits"`.
            images: uint8, or floats in `bounds`, `[n, ...]`.
            labels: True classes, or those to reach, integers `[n]` or `[n, 1]`.
            bounds: Smallest and largest value of the network's input. None: 0 and 1, if it names no
                more examples right in another range.
            seed: Of random starts.
            batch_size: Examples at once.

        Raises:
            ValueError: If `epsilon` is larger than the range, a label is no class, values are out
                of the bounds, the network's outputs are no logits or have no gradient, or it names
                many more examples right in another range of values.

        Warns if no example was changed.

        Example:
        ```python
        attacked = PGD(epsilon=0.3)(model, digits, labels)
        ```
        """
        batch_size = checked_integer("batch_size", batch_size, minimum=1)
        low, high = bounds or UNIT
        self.check_epsilon(low, high)
        self.warn_of_little(low, high)
        x = in_bounds(images, low, high)
        labels = class_labels(labels, len(x))
        _check_classes(network, x, labels)
        if bounds is None and not self.targeted:
            check_range(network, x, labels)

        seed = checked_seed(seed)
        graph = _graph(self, network, (low, high), x.shape[1:])
        found = []
        for start in range(0, len(x), batch_size):
            batch = slice(start, start + batch_size)
            key = noise.stateless_seed(seed, start, "attack")
            found.append(graph(x[batch], labels[batch].astype("int32"), key).numpy())
        attacked = np.concatenate(found)
        if schedules.final(self.epsilon) > 0 and np.array_equal(attacked, x):
            warn(
                f"{type(self).__name__} changed no example: the loss has no slope by the input, "
                "which says nothing about how the network stands up to attacks."
            )
        return attacked

    def on(self, network: Callable, bounds: tuple, x, labels, seed) -> tf.Tensor:
        """Returns adversarial examples of tensors, as `changed`, for a network's cross-entropy."""

        def loss_fn(x):
            return scaled_cross_entropy(logits_of(network, x), labels)

        return self.changed(loss_fn, x, seed, *bounds)


@serializable
class FGSM(Attack):
    """One step as far as the ball reaches, the fast gradient sign method.

    Goodfellow, Shlens, Szegedy: "Explaining and Harnessing Adversarial Examples", ICLR 2015, sec.
    4.

    Args:
        epsilon, norm, targeted: See `Attack`.

    Example: `FGSM(epsilon=0.1)(model, digits, labels)`.
    """


@serializable
class BIM(Attack):
    """Several small steps from the example itself, the basic iterative method.

    Kurakin, Goodfellow, Bengio: "Adversarial Examples in the Physical World", ICLR 2017 workshop,
    sec. 2.2.

    Args:
        epsilon, norm, targeted: See `Attack`.
        steps: Number of steps.
        relative_step: Length of a step, as a fraction of epsilon; None: 2 / steps.

    Example: `BIM(epsilon=0.1, steps=10)(model, digits, labels)`.
    """

    steps: Steps = 10
    relative_step: Positive | None = None  # type: ignore[assignment]

    reach = 2.0


@serializable
class PGD(Attack):
    """Several small steps from a random place in the ball, projected gradient descent.

    Madry, Makelov, Schmidt, Tsipras, Vladu: "Towards Deep Learning Models Resistant to Adversarial
    Attacks", ICLR 2018, sec. 2.1. The paper's 40 steps of 0.01 for MNIST, where epsilon is 0.3, are
    `relative_step=1 / 30`. By default all steps together lead 2.5 times the radius far, as in the
    authors' later library (Engstrom et al.: "Robustness", 2019), so that any place in the ball is
    reached from any other with any number of steps.

    Args:
        epsilon, norm, targeted: See `Attack`.
        steps: Number of steps.
        relative_step: Length of a step, as a fraction of epsilon; None: 2.5 / steps.
        random_start: Whether they begin at a random place.

    Example: `PGD(epsilon=0.3)(model, digits, labels, seed=1)`.
    """

    steps: Steps = 40
    relative_step: Positive | None = None  # type: ignore[assignment]
    random_start: bool = True

    reach = 2.5


@functools.lru_cache(maxsize=8)
def _graph(attack: Attack, network: Callable, bounds: tuple, shape: tuple) -> Callable:
    """An attack on a network as a function of examples, classes and seed, traced once."""
    specs = [
        tf.TensorSpec([None, *shape], tf.float32),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([2], tf.int64),
    ]
    # Partial: TensorFlow warns if functions that stand at one place are traced again and again.
    attacked = functools.partial(attack.on, network, bounds)
    return tf.function(attacked, input_signature=specs, autograph=False)


def loss_and_slope(loss_fn: Callable, values) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns a loss of examples, `[batch]`, and its gradient by them; no state changes."""
    with stateless(), tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss = loss_fn(values)
        total = tf.reduce_sum(loss)
    slope = tape.gradient(total, values)
    if slope is None:
        raise ValueError(
            "The loss has no gradient by the input: a cast to integers or an argmax has none. Give "
            "a network of floats, and its logits."
        )
    return loss, tf.cast(slope, values.dtype)


def scaled_cross_entropy(logits, labels) -> tf.Tensor:
    """Returns the cross-entropy, `[batch]`, whose gradient does not vanish.

    Where a network is sure of itself its logits are divided, as of a softmax of higher temperature.
    """
    spread = tf.reduce_max(logits, 1) - tf.reduce_min(logits, 1)
    logits /= tf.stop_gradient(tf.maximum(spread / SURE, 1.0))[:, None]
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def margin(logits, labels) -> tf.Tensor:
    """Returns by how much the likeliest other class leads the labeled one, `[batch]`, in logits.

    It is above 0 if an example is named wrong (Carlini, Wagner: "Towards Evaluating the Robustness
    of Neural Networks", S&P 2017, sec. 5.1).
    """
    own = tf.gather(logits, labels, axis=1, batch_dims=1)
    return tf.reduce_max(without_class(logits, labels), 1) - own


def without_class(logits, labels) -> tf.Tensor:
    """Returns logits that are lowest at the labeled class."""
    labeled = tf.one_hot(labels, logits.shape[-1], on_value=True, off_value=False)
    return tf.where(labeled, logits.dtype.min, logits)


def in_bounds(images, low: float, high: float) -> np.ndarray:
    """Returns uint8 images as float32 in the bounds, and floats if they are in them."""
    images = checked_array("images", images)
    if not images.size:
        raise ValueError(f"The images have shape {images.shape}: expected one example at least.")
    if images.dtype == np.uint8:
        return (images / 255 * (high - low) + low).astype("float32")
    if not (images.min() >= low and images.max() <= high):  # nor with NaN
        raise ValueError(
            f"The images range from {images.min():g} to {images.max():g}: expected uint8, or "
            f"floats from {low:g} to {high:g}; give the bounds of the network's input."
        )
    return images.astype("float32")


def logits_of(network: Callable, x) -> tf.Tensor:
    """Returns the logits of a network, or of its dict of outputs, float32 `[batch, classes]`."""
    try:
        outputs = network(x, training=False)
    except ValueError as error:
        if "\n" not in str(error):
            raise
        raise ValueError(  # in place of the many lines of Keras
            f"The network does not accept images of shape {tuple(x.shape)}: expected those that it "
            "was made for."
        ) from error
    logits = outputs["logits"] if isinstance(outputs, dict) else outputs
    return tf.cast(logits, tf.float32)


def class_labels(labels, count: int) -> np.ndarray:
    """Returns labels, also those in a column, as integers `[n]`; a ValueError for others."""
    labels = checked_array("labels", labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"The labels have shape {labels.shape} and dtype {labels.dtype}: expected classes as "
            "integers [n]; of one-hot rows, give labels.argmax(axis=1)."
        )
    if len(labels) != count:
        raise ValueError(f"There are {count} images and {len(labels)} labels: expected as many.")
    return labels


def named_right(
    network: Callable, x: np.ndarray, labels: np.ndarray, batch_size: int = 500
) -> np.ndarray:
    """Returns whether each example is given its class, bool `[n]`."""
    starts = range(0, len(x), batch_size)
    logits = np.concatenate([logits_of(network, x[s : s + batch_size]).numpy() for s in starts])
    if np.isnan(logits).any():
        raise ValueError("The network's logits have NaN among them, which name no class.")
    return logits.argmax(axis=1) == labels


def check_range(network: Callable, x: np.ndarray, labels) -> None:
    """Raises a ValueError if a network names many more examples right in another range.

    Args:
        network: As attacks take it.
        x: Examples from 0 to 1.
        labels: Their classes.
    """
    if len(x) < FEWEST:
        return
    found = named_right(network, x[:200], labels[:200]).mean()
    for other in RANGES:
        scaled = x[:200] * (other[1] - other[0]) + other[0]
        better = named_right(network, scaled, labels[:200]).mean()
        if better > max(found + MUCH_BETTER, 0.5):
            raise ValueError(
                f"With inputs from 0 to 1 the network names {found:.2f} of the examples right, and "
                f"{better:.2f} with inputs from {other[0]:g} to {other[1]:g}: give bounds={other}, "
                f"and uint8 or floats in them; or bounds={UNIT}, if these are right."
            )


def _check_classes(network, x, labels) -> None:
    """Refuses labels that are no classes, and probabilities in place of logits."""
    logits = logits_of(network, x[:8]).numpy()
    classes = logits.shape[-1]
    if logits.ndim != 2 or classes < 2:
        raise ValueError(
            f"The network's outputs have shape [n, {', '.join(map(str, logits.shape[1:]))}]: "
            "expected the logits of two or more classes, [n, classes]; of one logit z make two, "
            "keras.ops.concatenate([keras.ops.zeros_like(z), z], axis=-1)."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"The labels range from {labels.min()} to {labels.max()}: expected classes from 0 to "
            f"{classes - 1}."
        )
    if (logits >= 0).all() and np.allclose(logits.sum(axis=-1), 1, atol=1e-4):
        raise ValueError(
            "The network's outputs are probabilities, whose gradient vanishes where it is sure: "
            "give one that ends in logits."
        )


def unit(values) -> tf.Tensor:
    """Returns each example divided by its norm, the root of the sum of squares; 0 stays 0."""
    axes = list(range(1, values.shape.rank))
    largest = tf.reduce_max(tf.abs(values), axes, keepdims=True)
    scaled = tf.math.divide_no_nan(values, largest)  # the squares of small numbers vanish
    return tf.math.divide_no_nan(scaled, _norms(scaled))


def _norms(values) -> tf.Tensor:
    """The root of the sum of squares of each example, `[batch, 1, ...]`."""
    axes = list(range(1, values.shape.rank))
    return tf.sqrt(tf.reduce_sum(tf.square(values), axes, keepdims=True))
