"""Class names, which may replace integer labels, as methods of `GenerativeModel`."""

import dataclasses

from keras_gen.arguments import checked_names
from keras_gen.core.kinds_of_data import Labels


def class_names(self) -> tuple[str, ...]:
    """Names of the classes in order, which may replace labels; empty if unknown.

    `fit` finds them in a source, such as `image_folder(..., labels=True)`, or in labels that are
    strings. They are saved and exported with the model.
    """
    labels = _labels(self)
    return labels[0].names if labels else ()


def named_classes(self) -> int:
    """Number of classes that can have names, as in the labels of `fit`; 0 without labels."""
    labels = _labels(self)
    return labels[0].classes if labels else 0


def name_classes(self, names) -> None:  # noqa: D417
    """Assigns names to the classes, so that `sample(label="cat")` works.

    Args:
        names: Names in the order of the labels.

    Raises:
        TypeError: If `names` is not a list, such as a single string.
        ValueError: If names repeat, or their number differs from the number of classes in the
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
