"""Edges for class labels, and the names of classes, which may replace labels."""

from __future__ import annotations

import dataclasses

import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_names
from keras_gen.core.kinds_of_data.kind_of_data import Edge, as_tensor, integers_within
from keras_gen.tensor_checks import require


@dataclasses.dataclass(frozen=True)
class Labels(Edge):
    """Class labels, one integer per example, `[batch]`.

    Args:
        classes: Number of classes. Labels range from 0 to `classes` - 1.
        unknown: Whether the label -1 is also allowed. As in scikit-learn, -1 marks an example
            without a label. If the label of a sample is optional, -1 stands for any class.
        name: Name used by clients.
        names: Names of the classes in order, which users may pass instead of the integers; may be
            empty.

    Example:
        >>> Labels(10).prepare([3, 9])
        <tf.Tensor: shape=(2,), dtype=int32, numpy=array([3, 9], dtype=int32)>
    """

    classes: int
    unknown: bool = False
    name: str = "labels"
    names: tuple[str, ...] = ()

    @override
    def prepare(self, values) -> tf.Tensor:
        """Accepts integers of any type, or names: `[batch]`, columns `[batch, 1]`, or scalars."""
        labels = as_tensor(values, self.name)
        if self.names and labels.dtype == tf.string:
            labels = self._numbers(labels)
        way_out = "expected [batch]. Convert one-hot labels with np.argmax(labels, axis=-1)."
        if labels.shape.rank is None:
            # The rank of the labels is unknown in a step that is built for several shapes.
            columns = tf.reduce_prod(tf.shape(labels)[1:])
            labels = tf.reshape(labels, [-1, columns])
            sentence = f"{self.subject} have {{}} columns: {way_out}"
            with tf.control_dependencies([require(columns == 1, sentence, columns)]):
                labels = labels[:, 0]
        elif labels.shape.rank == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        elif labels.shape.rank > 1:
            raise ValueError(f"{self.subject} have shape {labels.shape}: {way_out}")
        least = -1 if self.unknown else 0
        expected = f"integers in [0, {self.classes - 1}]"
        if self.unknown:
            expected += ", or -1 for any class"
        return integers_within(labels, least, self.classes - 1, self.subject, expected)

    @property
    def subject(self) -> str:
        """Plural name of the labels in messages, such as "Labels" or "Speakers"."""
        return self.name.removesuffix("s").capitalize() + "s"

    def _numbers(self, labels: tf.Tensor) -> tf.Tensor:
        """Converts class names to the integers that they represent."""
        same = tf.equal(labels[..., None], tf.constant(self.names))
        known = tf.reduce_any(same, axis=-1)
        unknown = tf.boolean_mask(tf.reshape(labels, [-1]), ~tf.reshape(known, [-1]))
        sentence = (
            f"{self.subject} contain the name '{{}}': expected one of {', '.join(self.names)}."
        )
        first = tf.strings.reduce_join(unknown[:1])
        with tf.control_dependencies([require(tf.reduce_all(known), sentence, first)]):
            return tf.argmax(tf.cast(same, tf.int32), axis=-1, output_type=tf.int32)

    @override
    def inner_spec(self):
        return tf.TensorSpec([None], tf.int32)


def label_edges(classes: int, name: str = "labels") -> dict[str, Labels]:
    """Returns edges for the labels in `fit` and the label in `sample`, where -1 means any class.

    Args:
        classes: Number of classes.
        name: Plural name of the labels, such as `"speakers"`.
    """
    one = name.removesuffix("s")
    return {name: Labels(classes, name=name), one: Labels(classes, unknown=True, name=one)}


def class_names(self) -> tuple[str, ...]:
    """Names of the classes in order, which may be passed instead of labels; empty if unknown.

    `fit` finds the names in a source, such as `image_folder(..., labels=True)`, or in labels that
    are strings. The names are saved and exported with the model.
    """
    labels = _labels(self)
    return labels[0].names if labels else ()


def named_classes(self) -> int:
    """Number of classes in the labels of `fit`, which can have names; 0 if there are no labels."""
    labels = _labels(self)
    return labels[0].classes if labels else 0


def name_classes(self, names) -> None:  # noqa: D417
    """Assigns names to the classes, so that `sample(label="cat")` works.

    Args:
        names: Names in the order of the labels.

    Raises:
        TypeError: If `names` is not a list (for example, if it is a single string).
        ValueError: If a name is repeated, or if there is not exactly one name per class in the
            labels of `fit`.

    Example: `model.name_classes(["cat", "dog"])`.
    """
    names = checked_names("class_names", names)
    if len(names) != self.named_classes:
        raise ValueError(
            f"{type(self).__name__} got {len(names)} names, {', '.join(names)}: expected "
            f"{self.named_classes}, one per class."
        )
    # Attributes are not classes, even if there are as many attributes as classes.
    for edges in (self.edges, self.training_edges):
        for name, edge in edges.items():
            alike = isinstance(edge, Labels) and edge.classes == len(names)
            if alike and name != "attributes":
                edges[name] = dataclasses.replace(edge, names=names)


def _labels(model) -> list[Labels]:
    """Returns the edges for the labels in `fit`."""
    edges = model.edges | model.training_edges
    return [edges[name] for name in model.batch if isinstance(edges[name], Labels)]
