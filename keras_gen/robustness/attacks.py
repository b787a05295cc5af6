"""Adversarial examples: small changes to an input that maximize the loss of a classifier."""

import functools
from collections.abc import Callable
from typing import Literal

import numpy as np
import tensorflow as tf

from keras_gen.arguments import checked_array
from keras_gen.checked_arguments import checked_arguments, checked_types
from keras_gen.core import noise, schedules, stateless
from keras_gen.core.schedules import Weight
from keras_gen.declared import Declared, Positive, PositiveInteger, Steps
from keras_gen.losses.per_example import serializable
from keras_gen.messages import warn

# Above this difference of logits, the cross-entropy's gradient is imprecise in float32, and soon
# rounded to 0.
SURE = 16.0
# The usual input range, other ranges, and the thresholds for detecting a wrong range.
UNIT = (0.0, 1.0)
RANGES = ((-1.0, 1.0), (0.0, 255.0))
FEWEST = 10  # minimum number of examples for a test of other ranges
MUCH_BETTER = 0.2  # accuracy gain in another range that counts as an error


class Attack(Declared):
    """Base class for attacks that follow the gradient of the loss within a ball around the input.

    As in Foolbox and the Adversarial Robustness Toolbox, `epsilon` is in input units, the norm
    applies to the change, and a targeted attack lowers the loss of a target class instead of
    raising the loss of the true class. Values that leave the range of the input are clipped.

    Args:
        epsilon: Radius of the ball in input units: a number or, during training, a schedule.
        norm: Norm of the change: `"inf"` for the maximum absolute change of a value, or `"2"` for
            the square root of the sum of squared changes.
        targeted: Whether `labels` are target classes instead of true classes.

    Raises:
        ValueError: If an argument is out of range.
    """

    epsilon: Weight = 0.3
    norm: Literal["inf", "2"] = "inf"
    targeted: bool = False

    # Number of steps, step length as a fraction of epsilon, and starting point.
    steps = 1
    relative_step = 1.0
    random_start = False
    # The total length of all steps as a multiple of epsilon, if no step length is given.
    reach = 1.0

    def changed(
        self, loss_fn: Callable, x, seed, low: float = 0.0, high: float = 1.0, epsilon=None
    ) -> tf.Tensor:
        """Returns adversarial examples; may be called in a training step or in any other graph.

        Args:
            loss_fn: Function that maps examples to the loss to maximize, `[batch]`. The function
                must not mix the examples of a batch.
            x: Float32 examples `[batch, ...]` within the range.
            seed: Seed for random starting points, int64 `[2]`, such as a model's `stateless_seed`.
            low: Minimum input value.
            high: Maximum input value.
            epsilon: Current value of a schedule for epsilon, which is used instead of the attack's
                own epsilon.
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
        """Step length as a fraction of epsilon; by default, steps can reach the ball's boundary."""
        return self.reach / self.steps if self.relative_step is None else self.relative_step

    @property
    def sign(self) -> float:
        """1.0 to increase the loss, or -1.0 to decrease the loss of a target class."""
        return -1.0 if self.targeted else 1.0

    def radius(self, x, epsilon=None) -> tf.Tensor:
        """Returns the radius of the ball for `changed`, in the dtype of the examples."""
        return tf.cast(schedules.final(self.epsilon) if epsilon is None else epsilon, x.dtype)

    def check_epsilon(self, low: float, high: float) -> None:
        """Raises a ValueError if epsilon exceeds the range of the input values."""
        epsilon = self.epsilon
        most = epsilon.bounds[1] if isinstance(epsilon, schedules.Schedule) else epsilon
        if self.norm == "inf" and most > high - low:
            raise ValueError(
                f"epsilon is {most:g}, but the inputs range from {low:g} to {high:g}: expected at "
                f"most {high - low:g}, in input units. Pass the network's input range as bounds."
            )

    def warn_of_little(self, low: float, high: float) -> None:
        """Warns if epsilon is below half of one of 256 levels, or if steps cannot reach epsilon."""
        covered = self.steps * self.step_fraction
        if covered < 1:
            warn(
                f"{type(self).__name__} takes {self.steps} steps of {self.step_fraction:g} * "
                f"epsilon, which cover only {covered:.2f} of the radius and make a network look "
                "more robust than it is: leave out relative_step, or use more steps."
            )
        most = schedules.final(self.epsilon)
        if self.norm == "inf" and 0 < most < (high - low) / 510:
            warn(
                f"epsilon is {most:g}, less than half a level for inputs from {low:g} to "
                f"{high:g}: expected a value in input units."
            )

    def direction(self, slope):
        """Returns the step of length 1 that most increases a linear loss with this slope."""
        return tf.sign(slope) if self.norm == "inf" else unit(slope)

    def within(self, change, radius):
        """Returns the change inside the ball that is nearest to `change`."""
        if self.norm == "inf":
            return tf.clip_by_value(change, -radius, radius)
        return unit(change) * tf.minimum(radius, _norms(change))

    def draw(self, x, seed, radius):
        """Returns a random change to examples, which is uniformly distributed in the ball."""
        if self.norm == "inf":
            return (2.0 * noise.uniform(tf.shape(x), seed) - 1.0) * radius
        direction = unit(noise.normal(tf.shape(x), seed))
        ones = [1] * (x.shape.rank - 1)
        part = noise.uniform([tf.shape(x)[0], *ones], tf.reverse(seed, [0]))
        # The volume of a ball is proportional to its radius raised to the power of the number of
        # values.
        return radius * part ** (1.0 / x.shape[1:].num_elements()) * direction

    @checked_types
    def __call__(
        self,
        network: Callable,
        images: np.ndarray,
        labels: np.ndarray,
        bounds: tuple[float, float] | None = None,
        seed: int = 0,
        batch_size: PositiveInteger = 100,
    ) -> np.ndarray:
        """Returns adversarial examples for arrays, float32 `[n, ...]`.

        Args:
            network: Keras model that maps floats in `bounds` to logits `[n, classes]`, or to a dict
                with `"logits"`.
            images: Examples, uint8 or floats in `bounds`, `[n, ...]`.
            labels: True classes, or target classes, integers `[n]` or `[n, 1]`.
            bounds: Minimum and maximum of the network's input. If None, 0 and 1 are used, and a
                ValueError is raised if the network classifies many more examples correctly with
                another range.
            seed: Seed for random starts.
            batch_size: Number of examples processed at once.

        Raises:
            ValueError: If `epsilon` exceeds the range, if a label is not a class, if values are
                outside the bounds, if the network's outputs are not logits or have no gradient, or
                if the network classifies many more examples correctly with another range of values.

        A warning is issued if the attack does not change any example.

        Example:
        ```python
        attacked = PGD(epsilon=0.3)(model, digits, labels)
        ```
        """
        low, high = bounds or UNIT
        self.check_epsilon(low, high)
        self.warn_of_little(low, high)
        x = in_bounds(images, low, high)
        labels = class_labels(labels, len(x))
        _check_classes(network, x, labels)
        if bounds is None and not self.targeted:
            check_range(network, x, labels)

        graph = _graph(self, network, (low, high), x.shape[1:])
        found = []
        for start in range(0, len(x), batch_size):
            batch = slice(start, start + batch_size)
            key = noise.stateless_seed(seed, start, "attack")
            found.append(graph(x[batch], labels[batch].astype("int32"), key).numpy())
        attacked = np.concatenate(found)
        if schedules.final(self.epsilon) > 0 and np.array_equal(attacked, x):
            warn(
                f"{type(self).__name__} changed no example: the loss has no gradient with "
                "respect to the input, so the result does not show how robust the network is."
            )
        return attacked

    def on(self, network: Callable, bounds: tuple, x, labels, seed) -> tf.Tensor:
        """Returns adversarial examples for a network's cross-entropy; see `changed`."""

        def loss_fn(x):
            return scaled_cross_entropy(logits_of(network, x), labels)

        return self.changed(loss_fn, x, seed, *bounds)


@serializable
class FGSM(Attack):
    """The fast gradient sign method: one step to the boundary of the ball.

    Goodfellow, Shlens, Szegedy: "Explaining and Harnessing Adversarial Examples", ICLR 2015, sec.
    4.

    Args:
        epsilon, norm, targeted: See `Attack`.

    Example: `FGSM(epsilon=0.1)(model, digits, labels)`.
    """


@serializable
class BIM(Attack):
    """The basic iterative method: several small steps, starting at the example itself.

    Kurakin, Goodfellow, Bengio: "Adversarial Examples in the Physical World", ICLR 2017 workshop,
    sec. 2.2.

    Args:
        epsilon, norm, targeted: See `Attack`.
        steps: Number of steps.
        relative_step: Length of a step, as a fraction of epsilon. If None, the fraction is 2 /
            steps.

    Example: `BIM(epsilon=0.1, steps=10)(model, digits, labels)`.
    """

    steps: Steps = 10
    relative_step: Positive | None = None  # type: ignore[assignment]

    reach = 2.0


@serializable
class PGD(Attack):
    """Projected gradient descent: several small steps, starting at a random point in the ball.

    Madry, Makelov, Schmidt, Tsipras, Vladu: "Towards Deep Learning Models Resistant to Adversarial
    Attacks", ICLR 2018, sec. 2.1. The paper's 40 steps of length 0.01 for MNIST, with an epsilon of
    0.3, correspond to `relative_step=1 / 30`. By default, the total length of the steps is 2.5
    times the radius, as in the authors' later library (Engstrom et al.: "Robustness", 2019), so
    every point in the ball can be reached from every other point, regardless of the number of
    steps.

    Args:
        epsilon, norm, targeted: See `Attack`.
        steps: Number of steps.
        relative_step: Length of a step, as a fraction of epsilon. If None, the fraction is 2.5 /
            steps.
        random_start: Whether the steps begin at a random point.

    Example: `PGD(epsilon=0.3)(model, digits, labels, seed=1)`.
    """

    steps: Steps = 40
    relative_step: Positive | None = None  # type: ignore[assignment]
    random_start: bool = True

    reach = 2.5


def _graph(attack: Attack, network: Callable, bounds: tuple, shape: tuple) -> Callable:
    """Returns an attack on a network as a function of examples, classes, and a seed.

    The function is traced in each call, because the network may have changed since the previous
    call.
    """
    specs = [
        tf.TensorSpec([None, *shape], tf.float32),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([2], tf.int64),
    ]
    # Use partial, because TensorFlow warns if a function defined in one place is traced repeatedly.
    attacked = functools.partial(attack.on, network, bounds)
    return tf.function(attacked, input_signature=specs, autograph=False)


def loss_and_slope(loss_fn: Callable, values) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the loss of examples, `[batch]`, and its gradient, without changing any state."""
    with stateless(), tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss = loss_fn(values)
        total = tf.reduce_sum(loss)
    slope = tape.gradient(total, values)
    if slope is None:
        raise ValueError(
            "The loss has no gradient with respect to the input, for example because of a cast to "
            "integers or an argmax: expected a network that accepts floats and returns logits."
        )
    return loss, tf.cast(slope, values.dtype)


def scaled_cross_entropy(logits, labels) -> tf.Tensor:
    """Returns a cross-entropy, `[batch]`, whose gradient does not vanish.

    The logits of a confident network are divided by a number, as in a softmax with a higher
    temperature.
    """
    spread = tf.reduce_max(logits, 1) - tf.reduce_min(logits, 1)
    logits /= tf.stop_gradient(tf.maximum(spread / SURE, 1.0))[:, None]
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def margin(logits, labels) -> tf.Tensor:
    """Returns the highest logit of another class minus the logit of the labeled class, `[batch]`.

    The difference is positive if an example is misclassified (Carlini, Wagner: "Towards Evaluating
    the Robustness of Neural Networks", S&P 2017, sec. 5.1).
    """
    own = tf.gather(logits, labels, axis=1, batch_dims=1)
    return tf.reduce_max(without_class(logits, labels), 1) - own


def without_class(logits, labels) -> tf.Tensor:
    """Returns the logits, with the labeled class's logit moved below all other logits."""
    labeled = tf.one_hot(labels, logits.shape[-1], on_value=True, off_value=False)
    return tf.where(labeled, logits.dtype.min, logits)


def in_bounds(images, low: float, high: float) -> np.ndarray:
    """Returns uint8 images as float32 within the bounds; float images must be within the bounds."""
    images = checked_array("images", images)
    if not images.size:
        raise ValueError(f"The images have shape {images.shape}: expected at least one example.")
    if images.dtype == np.uint8:
        return (images / 255 * (high - low) + low).astype("float32")
    if not (images.min() >= low and images.max() <= high):  # also false for NaN
        raise ValueError(
            f"The images range from {images.min():g} to {images.max():g}: expected uint8, or "
            f"floats from {low:g} to {high:g}. Pass the network's input range as bounds."
        )
    return images.astype("float32")


def logits_of(network: Callable, x) -> tf.Tensor:
    """Returns the logits, float32 `[batch, classes]`, of a network that may return a dict."""
    try:
        outputs = network(x, training=False)
    except ValueError as error:
        if "\n" not in str(error):
            raise
        raise ValueError(  # replaces a Keras message of many lines
            f"The network does not accept images of shape {tuple(x.shape)}: expected the "
            "network's input shape."
        ) from error
    logits = outputs["logits"] if isinstance(outputs, dict) else outputs
    return tf.cast(logits, tf.float32)


def class_labels(labels, count: int) -> np.ndarray:
    """Returns labels `[n]` or `[n, 1]` as integers `[n]`; raises a ValueError for other labels."""
    labels = checked_array("labels", labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"The labels have shape {labels.shape} and dtype {labels.dtype}: expected classes "
            "as integers [n]. Convert one-hot rows with labels.argmax(axis=1)."
        )
    if len(labels) != count:
        raise ValueError(
            f"There are {count} images and {len(labels)} labels: expected one label per image."
        )
    return labels


@checked_arguments
def named_right(
    network: Callable, x: np.ndarray, labels: np.ndarray, batch_size: int = 500
) -> np.ndarray:
    """Returns whether each example is classified correctly, bool `[n]`.

    Args:
        network: Network, or function of a batch and the argument `training`, that returns logits.
        x: Examples in the network's input range, `[n, ...]`, at least one.
        labels: Classes of the examples, integers `[n]`.
        batch_size: Number of examples processed at once.

    Raises:
        ValueError: If the labels do not match the examples, or if the logits contain NaN.

    Example:
        >>> named_right(model, digits, labels).mean()
    """
    labels = class_labels(labels, len(x))
    starts = range(0, len(x), batch_size)
    logits = np.concatenate([logits_of(network, x[s : s + batch_size]).numpy() for s in starts])
    if np.isnan(logits).any():
        raise ValueError("The network's logits contain NaN: expected finite numbers.")
    return logits.argmax(axis=1) == labels


def check_range(network: Callable, x: np.ndarray, labels) -> None:
    """Raises a ValueError if a network classifies many more examples correctly with another range.

    Args:
        network: Network, as accepted by attacks.
        x: Examples with values from 0 to 1.
        labels: Classes of the examples.
    """
    if len(x) < FEWEST:
        return
    found = named_right(network, x[:200], labels[:200]).mean()
    for other in RANGES:
        scaled = x[:200] * (other[1] - other[0]) + other[0]
        better = named_right(network, scaled, labels[:200]).mean()
        if better > max(found + MUCH_BETTER, 0.5):
            raise ValueError(
                f"With inputs from 0 to 1, the network classifies {found:.2f} of the examples "
                f"correctly, but {better:.2f} with inputs from {other[0]:g} to {other[1]:g}: "
                f"pass bounds={other}, and images as uint8 or as floats in this range. If inputs "
                f"from 0 to 1 are correct, pass bounds={UNIT}."
            )


def _check_classes(network, x, labels) -> None:
    """Rejects labels that are not classes, and probabilities instead of logits."""
    logits = logits_of(network, x[:8]).numpy()
    classes = logits.shape[-1]
    if logits.ndim != 2 or classes < 2:
        raise ValueError(
            f"The network's outputs have shape [n, {', '.join(map(str, logits.shape[1:]))}]: "
            "expected the logits of at least two classes, [n, classes]. Convert one logit z "
            "with keras.ops.concatenate([keras.ops.zeros_like(z), z], axis=-1)."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"The labels range from {labels.min()} to {labels.max()}: expected classes from 0 to "
            f"{classes - 1}."
        )
    if (logits >= 0).all() and np.allclose(logits.sum(axis=-1), 1, atol=1e-4):
        raise ValueError(
            "The network's outputs are probabilities, whose gradient vanishes where the "
            "network is confident: pass a network that returns logits."
        )


def unit(values) -> tf.Tensor:
    """Returns each example divided by its Euclidean norm; an example of zeros remains unchanged."""
    axes = list(range(1, values.shape.rank))
    largest = tf.reduce_max(tf.abs(values), axes, keepdims=True)
    scaled = tf.math.divide_no_nan(values, largest)  # small squares would underflow
    return tf.math.divide_no_nan(scaled, _norms(scaled))


def _norms(values) -> tf.Tensor:
    """Returns each example's Euclidean norm, `[batch, 1, ...]`."""
    axes = list(range(1, values.shape.rank))
    return tf.sqrt(tf.reduce_sum(tf.square(values), axes, keepdims=True))
