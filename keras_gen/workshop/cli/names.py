"""The names that classes and speakers of exports have."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_gen.serving.exported import data_of

DIGITS = tuple("0123456789")
# The names of data sets' classes, in the order of their labels.
CLASSES = {
    "fashion_mnist": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    "mnist": DIGITS,
    "usps": DIGITS,
}
SPEAKERS = {"spoken_digit": ("George", "Jackson", "Nicolas", "Theo", "Yweweler")}
# Which names a condition has.
NAMES: Mapping[str, Mapping[str, Sequence[str]]] = {"label": CLASSES, "speaker": SPEAKERS}


def names_of(metadata: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The names of an export's labels and speakers, in their order; none where none are known."""
    # Of several data sets, `mnist/3.0.1 and ...`, those of the first.
    data = data_of(metadata).partition("/")[0]
    names = {condition: sets.get(data, ()) for condition, sets in NAMES.items()}
    if "class_names" in metadata:
        names["label"] = metadata["class_names"]
    return names
