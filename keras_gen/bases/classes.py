"""What models of classes share: a classifier, samples of a class, latents decoded as a class."""

from typing import cast

import tensorflow as tf

from keras_gen.bases.capabilities import Capable, Sampler, capability
from keras_gen.bases.coder import Coder
from keras_gen.bases.edges import Edge, Labels
from keras_gen.training import require_built


class Classifying(Capable):
    """A model with a `classifier` of examples, few of which may have a label: classify.

    `fit` takes labels too, -1 for an example without one, as scikit-learn does.
    """

    batch: tuple[str, ...] = ("x", "labels")

    def keep_classifier(self, classifier, takes, what: str) -> None:
        """Keeps a network that ends with logits `[batch, classes]`, and names the labels' edge.

        Args:
            classifier: The network.
            takes: Shape of what it is given of an example.
            what: What that is, for the error.

        Raises:
            ValueError: If it takes another shape.
        """
        require_built(classifier)
        if classifier.input_shape[1:] != tuple(takes):
            raise ValueError(
                f"The classifier takes {classifier.input_shape[1:]} and the {what} have shape "
                f"{tuple(takes)}: they must agree."
            )
        self.classifier = classifier
        self.edges["labels"] = Labels(classifier.output_shape[-1])

    def batch_edges(self) -> dict[str, Edge]:
        """Returns the edges, of which that of the labels takes -1 too."""
        labels = cast(Labels, self.edges["labels"])
        return self.edges | {"labels": Labels(labels.classes, unknown=True)}

    def classified(self, x) -> tf.Tensor:
        """Returns what the classifier takes of examples: by default they themselves."""
        return x

    def logits(self, classified, training: bool = False) -> tf.Tensor:
        """Returns the logits of the classes, float32 `[batch, classes]`."""
        return tf.cast(self.classifier(classified, training=training), tf.float32)

    @staticmethod
    def cross_entropy(labels, logits) -> tf.Tensor:
        """Returns -log q(label | x) in nats, 0 without a label: `[batch]`."""
        known = labels >= 0
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(known, labels, 0), logits)
        return tf.where(known, entropy, 0.0)

    @staticmethod
    def accuracy(labels, logits) -> tf.Tensor:
        """Returns 1 where the likeliest class is the label, else 0: `[examples with a label]`."""
        right = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
        return tf.cast(tf.boolean_mask(right, labels >= 0), tf.float32)

    @capability
    def classify(self, x):
        """Returns the logits of the classes, float32 `[n, classes]`.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            batch_size: Examples at once.
        """
        return {"logits": self.logits(self.classified(x))}


class ClassSampler(Sampler):
    """Beside a sampler of latents: `sample(n, seed, label=3)` draws examples of a class.

    Without a label each example has a random class.
    """

    def keep_classes(self, classes: int) -> None:
        """Keeps the number of classes, and names the edges of labels.

        Raises:
            ValueError: If it is below 1.
        """
        if classes < 1:
            raise ValueError(f"classes is {classes}: expected at least 1.")
        self.classes = classes
        self.edges["labels"] = Labels(classes)
        self.edges["label"] = Labels(classes, unknown=True, name="label")

    def of_class(self, latents, labels) -> tf.Tensor:
        """Returns the examples of latents `[batch, ...]` and classes, int32 `[batch]`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what latents become.")

    def noise(self, n, key):
        """Draws latents, and classes for where none is asked for."""
        other = tf.random.experimental.stateless_fold_in(key, 1)
        labels = tf.random.stateless_uniform([n], other, 0, self.classes, tf.int32)
        return {"latents": super().noise(n, key), "labels": labels}

    def from_noise(self, noise, label=-1):
        """Returns examples of the classes that are asked for, or of those drawn."""
        return self.of_class(noise["latents"], tf.where(label < 0, noise["labels"], label))


class ClassCoder(Coder):
    """A coder whose encoder and decoder take the class too: `decode` with it, `analogies`.

    A subclass says which class an example has, if none is told (`side_inputs`), and is a
    `ClassSampler` too.
    """

    classes: int

    def every_class(self, values) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns each example once for every class, and these: `[batch * classes, ...]`."""
        each = tf.repeat(values, self.classes, axis=0)
        return each, tf.tile(tf.range(self.classes), tf.shape(values)[:1])

    def possible(self, labels) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the classes that examples can have: the label, or without one (-1) every class.

        Args:
            labels: Int32 `[batch]`.

        Returns:
            Pairs of an example's place in the batch and a class, in the order of the batch, int32
            `[pairs]` each.
        """
        possible = (labels[:, None] < 0) | (labels[:, None] == tf.range(self.classes))
        example, classes = tf.unstack(tf.cast(tf.where(possible), tf.int32), axis=1)
        return example, classes

    def of_class(self, latents, labels):
        """Returns the mean of p(x | y, z)."""
        return self.reconstructed(latents, False, labels)

    @capability
    def decode(self, latents, labels):
        """Returns the mean of p(x | y, z), images as uint8.

        Args:
            latents: Floats `[n, latents]`.
            labels: Classes y, integers `[n]` or one for all.
            batch_size: Examples at once.
        """
        return {"x": self.of_class(latents, labels)}

    @capability
    def analogies(self, x):
        """Returns what examples are like in every class: their latents decoded with each.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            batch_size: Examples at once.

        Returns:
            `[n, classes, ...]`, in the kind of the examples.
        """
        mean, *_ = self.encoded(x, False, *self.side_inputs(x))
        examples = self.of_class(*self.every_class(mean))
        return {"x": tf.reshape(examples, [-1, self.classes, *examples.shape[1:]])}
