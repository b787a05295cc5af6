"""APGD: projected gradient descent with automatic step size (Croce & Hein 2020)."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.declared import CountFrom0, Steps
from keras_gen.losses.per_example import serializable
from keras_gen.robustness.attacks import (
    Attack,
    logits_of,
    loss_and_slope,
    margin,
    scaled_cross_entropy,
    without_class,
)

MOMENTUM = 0.75  # alpha: weight of the gradient step; the previous step has the remaining weight
RISING = 0.75  # rho: if a smaller fraction of steps raises the loss, steps are halved


@serializable
class APGD(Attack):
    """PGD with momentum that halves its step size and returns to the best point when it stalls.

    Croce, Hein: "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse
    Parameter-Free Attacks", ICML 2020, algorithm 1. The only parameter of the search is the number
    of steps. The attack returns the point with the highest loss among all steps.

    Args:
        epsilon, norm, targeted: See `Attack`.
        steps: Number of steps.
        loss: Loss to maximize. `"cross_entropy"` is the cross-entropy. `"margin"` is the highest
            logit of another class minus the logit of the labeled class. `"dlr"`, eq. (6), is the
            margin divided by a difference between the largest logits, so this loss is invariant to
            the scale of the logits. `"dlr"` requires at least 3 classes.
        rival: Target class for the loss `"dlr"`: 0 for any class, or k for the k-th most likely
            wrong class of the unchanged example (eq. (7)). A target class requires at least 4
            classes.

    Raises:
        ValueError: If an argument is out of range, or if `rival` is combined with another loss.
            When the attack is called, if there are too few classes.

    Example: `APGD(epsilon=0.3, loss="dlr")(model, digits, labels, seed=1)`.
    """

    steps: Steps = 100
    loss: Literal["cross_entropy", "margin", "dlr"] = "cross_entropy"
    rival: CountFrom0 = 0

    relative_step = 2.0  # length of the first steps
    random_start = True

    @override
    def set_up(self):
        if self.rival and (self.loss != "dlr" or self.targeted):
            raise ValueError(
                f"rival is {self.rival}, loss is {self.loss!r}, and targeted is "
                f"{self.targeted}: expected loss='dlr' and targeted=False with a rival. Change "
                "loss and targeted, or leave rival out."
            )

    @override
    def on(self, network: Callable, bounds: tuple, x, labels, seed) -> tf.Tensor:
        loss_of = LOSSES[self.loss]
        if self.rival:
            rivals = _rivals(logits_of(network, x), labels, self.rival)
            loss_of = _rival_difference(rivals)

        def loss_fn(x):
            return loss_of(logits_of(network, x), labels)

        return self.changed(loss_fn, x, seed, *bounds)

    @override
    def changed(
        self, loss_fn: Callable, x, seed, low: float = 0.0, high: float = 1.0, epsilon=None
    ) -> tf.Tensor:
        radius = self.radius(x, epsilon)
        # Whether step lengths are checked after each step, and the number of steps since the
        # previous check.
        judged = np.zeros(self.steps, bool)
        since = np.ones(self.steps)
        checkpoints = _checkpoints(self.steps)
        for before, after in zip([0, *checkpoints], checkpoints, strict=False):
            judged[after - 1] = True
            since[after - 1] = after - before
        judged, since = tf.constant(judged), tf.constant(since, x.dtype)

        def projected(values):
            return tf.clip_by_value(x + self.within(values - x, radius), low, high)

        def place(values):
            loss, slope = loss_and_slope(loss_fn, values)
            return _Place(values, self.sign * loss, self.sign * slope)

        def step(count, state):
            at = state.at
            last = state.last
            best = state.best
            # The first step has no momentum.
            follow = tf.where(count == 0, 1.0, MOMENTUM)
            straight = projected(at.values + state.length * self.direction(at.slope))
            move = follow * (straight - at.values) + (1 - follow) * (at.values - last)
            new = place(projected(at.values + move))
            rises = state.rises + tf.cast(new.loss > at.loss, x.dtype)
            best = _chosen(new.loss > best.loss, new, best)

            # Condition 1: too few steps raised the loss. Condition 2: since the last checkpoint,
            # neither the step length nor the best loss has changed.
            few = rises < RISING * since[count]
            stuck = ~state.halved & (best.loss <= state.best_then)
            halve = judged[count] & (few | stuck)
            return count + 1, _State(
                at=_chosen(halve, best, new),
                last=at.values,
                best=best,
                length=tf.where(_like(halve, x), state.length / 2, state.length),
                rises=tf.where(judged[count], 0.0, rises),
                halved=tf.where(judged[count], halve, state.halved),
                best_then=tf.where(judged[count], best.loss, state.best_then),
            )

        start = place(tf.clip_by_value(x + self.draw(x, seed, radius), low, high))
        none = tf.zeros_like(start.loss, tf.bool)
        lengths = tf.ones_like(_like(start.loss, x)) * self.step_fraction * radius
        begin = _State(
            at=start,
            last=start.values,
            best=start,
            length=lengths,
            rises=tf.zeros_like(start.loss),
            halved=none,
            best_then=start.loss,
        )
        _, end = tf.while_loop(
            lambda count, state: count < self.steps,
            step,
            (tf.constant(0), begin),
            maximum_iterations=self.steps,
        )
        return tf.stop_gradient(end.best.values)


class _Place(NamedTuple):
    """Points, their losses to maximize, `[batch]`, and the gradients of the losses."""

    values: tf.Tensor
    loss: tf.Tensor
    slope: tf.Tensor


class _State(NamedTuple):
    """The current, previous, and best points, and statistics since the checkpoint."""

    at: _Place
    last: tf.Tensor
    best: _Place
    length: tf.Tensor
    rises: tf.Tensor
    halved: tf.Tensor
    best_then: tf.Tensor


def _checkpoints(steps: int) -> list[int]:
    """Returns the steps after which step lengths are checked, first at 22% and then more often."""
    before = 0  # the previous checkpoint, in percent of the steps
    after = 22
    found = []
    while after <= 100:
        found.append(math.ceil(after * steps / 100))
        before, after = after, after + max(after - before - 3, 6)
    return sorted(set(found))


def _chosen(condition, one: _Place, other: _Place) -> _Place:
    """Selects each example from `one` where `condition`, `[batch]`, is true, else from `other`."""
    return _Place(
        tf.where(_like(condition, one.values), one.values, other.values),
        tf.where(condition, one.loss, other.loss),
        tf.where(_like(condition, one.slope), one.slope, other.slope),
    )


def _like(values, x):
    """Reshapes values `[batch]` to the number of axes of the examples, `[batch, 1, ...]`."""
    return tf.reshape(values, [-1, *[1] * (x.shape.rank - 1)])


# Losses to maximize --------------------------------------------------------------------------


def difference_of_logits_ratio(logits, labels) -> tf.Tensor:
    """Returns the DLR loss, eq. (6): the margin / (the largest logit - the third-largest logit)."""
    largest = _largest(logits, 3)
    return tf.math.divide_no_nan(margin(logits, labels), largest[:, 0] - largest[:, 2])


def _rival_difference(rivals):
    def loss(logits, labels):  # eq. (7)
        largest = _largest(logits, 4)
        own, others = (tf.gather(logits, y, axis=1, batch_dims=1) for y in (labels, rivals))
        between = largest[:, 0] - (largest[:, 2] + largest[:, 3]) / 2
        return tf.math.divide_no_nan(others - own, between)

    return loss


def _rivals(logits, labels, rank: int):
    if rank >= logits.shape[-1]:
        raise ValueError(
            f"rival is {rank}, but there are {logits.shape[-1]} classes: expected at most "
            f"{logits.shape[-1] - 1}."
        )
    return tf.math.top_k(without_class(logits, labels), rank).indices[:, rank - 1]


def _largest(logits, count: int):
    if logits.shape[-1] < count:
        raise ValueError(
            f"There are {logits.shape[-1]} classes: expected at least {count} for this loss. "
            "Use loss='margin'."
        )
    return tf.math.top_k(logits, count).values


LOSSES = {
    "cross_entropy": scaled_cross_entropy,
    "margin": margin,
    "dlr": difference_of_logits_ratio,
}
