"""A DDPM of examples with classes, and guidance without a classifier (Ho & Salimans 2022)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core import capability, require_classes
from keras_gen.core.kinds_of_data import Number, label_edges
from keras_gen.declared import Count, Fraction, argument, network
from keras_gen.diffusion.ddpm import DDPM

MOST_GUIDANCE = 100.0


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalDDPM(DDPM):
    """A DDPM that is given the class, and can be led away from what has none.

    Ho, Salimans: "Classifier-Free Diffusion Guidance", 2022, algorithms 1 and 2. One network
    learns with the label and, for a fraction of the examples, without. `sample(n, label=3,
    guidance=1.0)` draws of one class, or of a label for each; without labels the classes are
    random. `fit(images, labels)` takes integers; `score` and `log_prob` are of p(x | label).

    | paper | here |
    |-|-|
    | c, and no class | `labels`, and the label `classes` |
    | p_uncond | `unlabeled` |
    | w | `guidance` |

    Deviations: those of `DDPM`, whose steps of time and solvers take the place of the paper's.

    Args:
        network: Points, times and int32 labels 0 to `classes`, where the last is for no class, to
            what it predicts.
        classes: Number of classes.
        probability_path: See `DDPM`.
        prediction: See `DDPM`.
        chain_steps: See `DDPM`.
        variance: See `DDPM`.
        data: See `DDPM`.
        unlabeled: Fraction of the examples that are trained without their label, 0 to 1; with 0
            there is no guidance.
        seed: Seed of noise, times, and of who loses the label.

    Raises:
        ValueError: See `DDPM`; if `classes` is below 1, the network takes other labels, or
            `unlabeled` is no fraction.

    Example:
    ```python
    model = ConditionalDDPM.for_vectors(2, width=16, classes=10)
    model.compile()
    model.fit(np.ones((8, 2)), np.arange(8), batch_size=4)
    sevens = model.sample(9, seed=1, label=7, guidance=1.0, steps=5)
    ```
    """

    batch = ("x", "labels")
    given = ("labels",)
    evaluations = DDPM.evaluations | {"sample": 4}  # with labels and without

    network: keras.Model = network("points times labels -> points")
    classes: Count = argument(kw_only=True)
    unlabeled: Fraction = 0.1

    @override
    def terms(self, batch):
        """Returns the loss of algorithm 1: some examples have lost their label."""
        labels = batch["labels"]
        lost = self.uniform("unlabeled", keras.ops.shape(labels)) < self.unlabeled
        return super().terms(batch | {"labels": tf.where(lost, self.classes, labels)})

    @override
    def network_output(self, x_t, t, labels, guidance=None):
        """Returns the prediction for labels, led away from that without: eq. (6)."""
        if guidance is None:
            return self.predicted(x_t, t, labels)
        none = tf.fill(tf.shape(labels), self.classes)
        both = [tf.concat(pair, axis=0) for pair in ((x_t, x_t), (t, t), (labels, none))]
        with_label, without = tf.split(self.predicted(*both), 2)
        return (1 + guidance) * with_label - guidance * without

    @override
    def from_noise(self, noise, label=-1, guidance=0.0, steps=50, solver="ddim"):
        """Returns examples of the given class, or of random ones."""
        return self.solved(noise, steps, solver, labels=label, guidance=guidance)

    @override
    @capability
    def encode(self, x, labels):
        """Returns the latents that lead to examples of classes, float32 `[n, ...]`."""
        return {"latents": self.encoded(x, labels=labels)}

    @override
    @capability
    def decode(self, latents, labels):
        """Returns the examples of latents `[n, ...]` and classes."""
        return {"x": self.decoded(latents, labels=labels)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_classes(
            self.classes + 1, self.network, place=2
        )  # the last label is for no class
        self.edges |= label_edges(self.classes)
        most = MOST_GUIDANCE
        why = ""
        if not self.unlabeled:
            most = 0.0
            why = ", for with unlabeled=0 nothing learns what has no class"
        self.edges["guidance"] = Number(0.0, most, "guidance", why)
