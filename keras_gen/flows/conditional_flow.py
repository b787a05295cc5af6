"""The conditional flow (Winkler, Worrall, Hoogeboom, Welling 2019)."""

from functools import partial
from typing import Annotated

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_shape, checked_size, only_given
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import capability, noise
from keras_gen.core.distribution import global_sum
from keras_gen.core.kinds_of_data import Vectors, label_edges
from keras_gen.declared import argument
from keras_gen.flows.flow import Flow, LevelCount
from keras_gen.layers.flows import Chain, Logit
from keras_gen.networks.flows.coupling_flow import coupling_flow


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalFlow(Flow):
    """A flow conditioned on a label or a vector.

    Winkler, Worrall, Hoogeboom, Welling: "Learning Likelihoods with Conditional Normalizing Flows",
    2019: log p(x|c) is the log density of the latents given the condition plus the log-determinant
    of a map that also depends on the condition. `fit(rows, labels)` accepts integer labels, and
    `fit(rows, conditions)` accepts vectors. `log_prob`, `encode`, and `decode` accept the same
    conditions.

    With labels, the class densities define a classifier by Bayes' rule: `classify` returns log
    p(x|y) + log p(y) for every class y. The softmax of these values is p(y|x), and their
    log-sum-exp is log p(x). The prior p(y) is the fraction of training examples in class y, with
    one added to the count of each class. Before training, all classes are equally likely.
    `sample(n, seed, label=3)` generates examples of one class; `label` can also be one label per
    example. Without labels, classes are sampled from the prior. In a model with vector conditions,
    `sample` accepts `condition` instead of `label`.

    Latents represent properties that do not depend on the condition:
    `decode(encode(x, labels), other_labels)` converts examples to other classes.

    Deviations: the flow is built by `coupling_flow`. A condition (a one-hot vector in the case of a
    label) is passed directly to the couplings, whereas the paper, whose conditions are images,
    first applies a network.

    Args:
        flow: Built invertible network with a condition `[batch, classes]` or `[batch, columns]`,
            such as `coupling_flow` with `condition_dim`.
        classes: Number of classes if the condition is a label; None for vectors.
        levels: Number of levels of discrete images; None for vectors.
        columns: Table columns with cells, or None; see `Flow`.
        seed: Seed for the noise that is added to levels, and for the points sampled in cells.

    Raises:
        ValueError: If the flow does not accept a condition of this size; see also `Flow`.

    Example:
    ```python
    model = ConditionalFlow.for_vectors(2, classes=3, steps=4, hidden=(16,))
    model.compile()
    rows, labels = np.random.default_rng(0).normal(size=(9, 2)), np.arange(9) % 3
    model.fit(rows, labels, batch_size=3)
    nats = -model.log_prob(rows, labels)
    classes = model.classify(rows).argmax(axis=1)
    ```
    """

    classes: Annotated[int, partial(checked_size, minimum=2)] | None = None
    levels: LevelCount | None = argument(default=None, later=True)

    # The likelihood given a condition --------------------------------------------------------

    @override
    def forward(self, x, offset, condition):  # type: ignore[override]
        return super().forward(x, offset, self._as_vectors(condition))

    @override
    def after_update(self, batch, statistics):
        """Updates the state of the flow as in `Flow`, and counts the classes in the batch."""
        super().after_update(batch, statistics)
        if self.classes:
            counts = tf.reduce_sum(tf.one_hot(batch["labels"], self.classes), axis=0)
            self.class_counts.assign_add(tf.cast(global_sum(counts), tf.int64))

    @override
    def decoded(self, latents, condition):  # type: ignore[override]
        return super().decoded(latents, self._as_vectors(condition))

    def _as_vectors(self, condition):
        """Returns the condition for the flow, with labels as one-hot vectors."""
        return tf.one_hot(condition, self.classes) if self.classes else condition

    # Bayes' rule -----------------------------------------------------------------------------

    def log_priors(self) -> tf.Tensor:
        """Returns log p(y) for every class, float32 `[classes]`, from the training examples."""
        counts = tf.cast(self.class_counts.value + 1, tf.float32)
        return tf.math.log(counts / tf.reduce_sum(counts))

    @capability
    def classify(self, x):
        """Returns log p(x|y) + log p(y) for every class y, float32 `[n, classes]`, in nats.

        These values are logits: the softmax is p(y|x), and the log-sum-exp is log p(x).
        """
        if not self.classes:
            raise ValueError(
                "The conditions of this ConditionalFlow are vectors: expected labels. Build the "
                "flow with classes, and fit it with labels."
            )

        def log_density(label):
            return -self.nats(x, labels=tf.fill(tf.shape(x)[:1], label))

        each = tf.map_fn(
            log_density, tf.range(self.classes), fn_output_signature=tf.TensorSpec([None])
        )
        return {"logits": tf.transpose(each) + self.log_priors()}

    @override
    def signatures(self):
        served = super().signatures()
        return {
            name: each for name, each in served.items() if name != "classify" or self.classes
        }

    # Use -------------------------------------------------------------------------------------

    @override
    def drawn_labels(self, n, key, classes):
        other = tf.random.experimental.stateless_fold_in(key, 1)
        return noise.categorical(tf.broadcast_to(self.log_priors(), [n, classes]), other)

    @override
    def from_noise(self, noise, temperature=1.0, **given):
        """Returns examples for latents and a condition; by default, labels come from the prior."""
        return self.decoded(temperature * noise, *given.values())

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        shape = self.flow.condition_shape
        if self.classes:
            self.condition_on("labels", label_edges(self.classes))
            # Number of training examples in each class, from which class probabilities are
            # computed.
            self.class_counts = self.add_weight(
                name="class_counts", shape=(self.classes,), dtype="int64", initializer="zeros",
                trainable=False, aggregation="only_first_replica",
            )  # fmt: skip
            if shape != (self.classes,):
                raise ValueError(
                    f"flow accepts conditions of shape {shape}: expected ({self.classes},), one "
                    "number per class. Build it with condition_dim=classes."
                )
        else:
            conditions = self.in_any_units(Vectors(shape, "conditions"))
            edges = {"conditions": conditions, "condition": conditions}
            self.condition_on("conditions", edges)

    @override
    def _require_condition(self, shape):
        if shape is None or len(shape) != 1:
            raise ValueError(
                f"flow accepts conditions of shape {shape}: expected vectors (columns,). Build "
                "the flow with coupling_flow and its argument condition_dim. Without conditions, "
                "use Flow."
            )

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        classes: int = 10,
        steps: int = 8,
        hidden: tuple[int, ...] = (64, 64),
        alpha: float = 0.05,
        levels: int = 256,
        **kwargs,
    ):
        """Builds a class-conditional flow for small images from a `Logit` and `coupling_flow`.

        Args:
            shape: `(height, width, channels)`, with even sides.
            classes: Number of classes, at least 2.
            steps: Number of couplings.
            hidden: Number of channels in each hidden layer of the couplings' networks.
            alpha: Minimum distance from 0 and 1 of the scaled levels to which the logit is applied.
            levels: Number of levels.
            **kwargs: Additional arguments for the class.

        Example: `model = ConditionalFlow.for_images((28, 28, 1), alpha=5e-4)`.
        """
        couplings = coupling_flow(shape, steps, hidden, condition_dim=classes)
        flow = Chain([Logit(alpha), *couplings.steps], name="flow")
        flow.build((None, *shape))
        return cls(flow, classes, levels, **kwargs)

    @override
    @classmethod
    @checked_arguments(axes=None)
    def for_vectors(  # type: ignore[override]
        cls,
        shape: int | tuple,
        classes: int | None = None,
        conditions: int | None = None,
        steps: int = 8,
        hidden: tuple[int, ...] = (64, 64),
        **kwargs,
    ):
        """Builds a flow with affine couplings for rows of numbers in any units.

        Args:
            shape: Number of columns, at least 2.
            classes: Number of classes, at least 2, or None.
            conditions: Number of columns of a vector condition, which may be in any units.
            steps: Number of couplings; see `keras_gen.networks.coupling_flow`.
            hidden: Number of units in each hidden layer of the couplings' networks.
            **kwargs: Additional arguments for the class.

        Raises:
            ValueError: Unless exactly one of `classes` and `conditions` is given; see also `Flow`.

        Example: `ConditionalFlow.for_vectors(8, conditions=2).fit(rows, conditions)`.
        """
        count = only_given(classes=classes, conditions=conditions)
        kwargs.setdefault("standardize", True)
        flow = coupling_flow(checked_shape("shape", shape), steps, hidden, condition_dim=count)
        return cls(flow, classes, **kwargs)
