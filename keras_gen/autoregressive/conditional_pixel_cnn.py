"""Class-conditional PixelCNN (van den Oord et al. 2016)."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoregressive.pixel_cnn import PixelCNN
from keras_gen.core import capability, require_classes
from keras_gen.core.kinds_of_data import label_edges
from keras_gen.declared import Count, Named, argument, made_by, network
from keras_gen.losses import likelihoods
from keras_gen.losses.likelihoods import Likelihood


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalPixelCNN(PixelCNN):
    """A class-conditional PixelCNN, which also classifies with Bayes' rule.

    Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: "Conditional Image
    Generation with PixelCNN Decoders", NeurIPS 2016, eqs. (3) and (4). `fit(images, labels)`
    accepts integer labels. All classes are treated as equally likely: p(x) is the mean of p(x |
    class).

    Args:
        network: Network that maps images and int32 labels `[batch]` to the likelihood's parameters;
            see `PixelCNN`.
        classes: Number of classes.
        likelihood: Distribution of a value, a name or an object.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the network does not accept labels of `classes` classes; see also `PixelCNN`.

    Example:
    ```python
    from keras_gen.networks import gated_pixel_cnn
    network = gated_pixel_cnn((8, 8, 1), 1, filters=4, blocks=1, levels=2, classes=10)
    model = ConditionalPixelCNN(network, classes=10, likelihood="bernoulli")
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), np.arange(8), batch_size=4)
    sevens = model.sample(9, seed=1, label=7)
    logits = model.classify(sevens)
    nats = -model.log_prob(sevens, 7), -model.marginal_log_prob(sevens)
    ```
    """

    batch = ("x", "labels")
    given = ("labels",)
    # A gated network requires one GiB of memory for this number of digits.
    most_examples = 256

    network: keras.Model = network("x labels -> parameters")
    classes: Count = argument(kw_only=True)
    likelihood: Named[Likelihood] = made_by(likelihoods.get, kw_only=True, later=True)

    @property
    @override
    def evaluations(self):
        by_class = self.classes * super().evaluations["log_prob"]
        return super().evaluations | {"classify": by_class, "marginal_log_prob": by_class}

    def class_log_probs(self, x) -> tf.Tensor:
        """Returns log p(x | class) for every class, float32 `[batch, classes]`."""

        def of_class(number):
            labels = tf.fill(tf.shape(x)[:1], number)
            return self.likelihood.log_prob(self.parameters(x, [labels]), x)

        # Classes are computed one at a time, because all classes together would require several
        # times the memory.
        by_class = tf.map_fn(
            of_class,
            tf.range(self.classes),
            parallel_iterations=1,
            fn_output_signature=tf.float32,
        )
        return tf.transpose(by_class)

    @capability
    def classify(self, x):
        """Returns class logits `[n, classes]`: log p(x | class) for every class."""
        return {"logits": self.class_log_probs(x)}

    @capability
    def marginal_log_prob(self, x):
        """Returns log p(x), marginalized over classes, float32 `[n]`, in nats."""
        joint = self.class_log_probs(x) - math.log(self.classes)
        return {"log_probs": tf.reduce_logsumexp(joint, axis=-1)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_classes(self.classes, self.network)
        self.edges |= label_edges(self.classes)
