"""The base class of classifiers whose features should not reveal an attribute."""

from collections.abc import Sequence

import keras
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.classifiers import OpposedClassifier, dense_discriminator
from keras_gen.core.kinds_of_data import Labels, Table
from keras_gen.data import Column
from keras_gen.declared import network
from keras_gen.networks import mlp_encoder


class BlindClassifier(OpposedClassifier):
    """Base class for classifiers whose features should not reveal an attribute, such as sex.

    `fit` and `evaluate` accept examples, their labels, and their attributes. A discriminator
    predicts the attribute from the features; the `train_step` of a subclass defines how the encoder
    is trained against this discriminator. Another adversary may find information that the
    discriminator misses, so evaluate the features with `keras_gen.metrics.attribute_leak`.

    Args:
        encoder: Network that maps images in [0, 1] or vectors to features `[batch, features]`.
        classifier: Network that maps features to logits `[batch, classes]`.
        discriminator: Network that maps features to logits for the attribute's values,
            `[batch, values]`.
        columns: Columns of the table, if the examples are table rows. The encoder receives the rows
            as vectors.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        ValueError: If the networks do not match each other or the columns.
    """

    batch = ("x", "labels", "attributes")

    classifier: keras.Model = network("features -> logits", kw_only=True)
    discriminator: keras.Model = network("features -> logits", kw_only=True)
    columns: Sequence[Column] | None = None

    @override
    def set_up(self):
        super().set_up()
        self.edges["attributes"] = Labels(self.discriminator.output_shape[-1], name="attributes")
        if self.columns is not None:
            set_table(self, self.columns, self.encoder.input_shape[1:])

    @classmethod
    @checked_arguments
    def for_table(
        cls, columns: Sequence[Column], classes: int = 2, values: int = 2, features: int = 8,
        hidden: tuple = (64,), discriminator_hidden: tuple = (64, 64), **kwargs,
    ):  # fmt: skip
        """Builds the model with dense networks.

        Args:
            columns: Columns of the table, as returned by `keras_gen.data.table_columns`.
            classes: Number of classes.
            values: Number of possible values of the attribute.
            features: Number of features.
            hidden: Number of units in each hidden layer of the encoder.
            discriminator_hidden: Number of units in each hidden layer of the discriminator.
            **kwargs: Additional arguments for the class.
        """
        size = width_of(columns)
        return cls(
            mlp_encoder((size,), features, hidden, "relu", output_activation="tanh"),
            mlp_encoder((features,), classes, hidden=(), name="classifier"),
            dense_discriminator(features, values, discriminator_hidden),
            columns=columns,
            **kwargs,
        )


def width_of(columns: Sequence[Column]) -> int:
    """Returns the length of the vector that represents a row."""
    return sum(column.width for column in columns)


def set_table(model, columns: Sequence[Column], shape: tuple) -> None:
    """Makes a model accept table rows; raises a ValueError if `shape` does not match the rows."""
    table = Table(columns)
    if tuple(shape) != (table.vectors.size,):
        raise ValueError(
            f"The encoder accepts inputs of shape {tuple(shape)}: expected "
            f"({table.vectors.size},), the shape of the vector for a row of {len(columns)} columns."
        )
    model.edges["x"] = table
    # The signatures read the networks and the tables of categories.
    model.resources = [table.vectors]
