"""Names of the classes and speakers of exports."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_gen.serving.exported import data_of

DIGITS = tuple("0123456789")
# Class names of the datasets, in the order of their labels.
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
# Names of the values of each condition, by dataset.
NAMES: Mapping[str, Mapping[str, Sequence[str]]] = {"label": CLASSES, "speaker": SPEAKERS}


def names_of(metadata: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Returns the names, in order, of an export's labels and speakers, if known."""
    # A model has one set of classes, whether they are called labels or speakers.
    if names := metadata.get("class_names"):
        return dict.fromkeys(NAMES, names)
    # If there are several datasets (`mnist/3.0.1 and ...`), the first one determines the names.
    data = data_of(metadata).partition("/")[0]
    return {condition: sets.get(data, ()) for condition, sets in NAMES.items()}
