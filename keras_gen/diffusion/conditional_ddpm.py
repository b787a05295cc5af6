"""A class-conditional DDPM with classifier-free guidance (Ho & Salimans 2022)."""

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
    """A class-conditional DDPM with classifier-free guidance.

    Ho, Salimans: "Classifier-Free Diffusion Guidance", 2022, algorithms 1 and 2. One network is
    trained with labels and, for a fraction of the examples, without labels.
    `sample(n, label=3, guidance=1.0)` samples from one class; `label` can also be one label per
    sample. Without labels, classes are random. `fit(images, labels)` accepts integer labels;
    `score` and `log_prob` refer to p(x | label).

    | paper | here |
    |-|-|
    | c, and no class | `labels`, and the label `classes` |
    | p_uncond | `unlabeled` |
    | w | `guidance` |

    Deviations: see `DDPM`. The time steps and solvers of `DDPM` replace the paper's time steps and
    solvers.

    Args:
        network: Network whose inputs are points, times, and int32 labels from 0 to `classes`, where
            the label `classes` means no class. The network returns a prediction with the same shape
            as the points.
        classes: Number of classes.
        probability_path: See `DDPM`.
        prediction: See `DDPM`.
        chain_steps: See `DDPM`.
        variance: See `DDPM`.
        data: See `DDPM`.
        unlabeled: Fraction of the examples that are used without their label, 0 to 1. With 0,
            guidance is unavailable.
        seed: Seed for the noise, the times, and the selection of examples without a label.

    Raises:
        ValueError: If `classes` is below 1, if the network accepts a different number of labels, or
            if `unlabeled` is not a fraction; see also `DDPM`.

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
    evaluations = DDPM.evaluations | {"sample": 4}  # two with and two without labels

    network: keras.Model = network("points times labels -> points")
    classes: Count = argument(kw_only=True)
    unlabeled: Fraction = 0.1

    @override
    def terms(self, batch):
        """Returns the loss of algorithm 1, in which some examples are used without their label."""
        labels = batch["labels"]
        lost = self.uniform("unlabeled", keras.ops.shape(labels)) < self.unlabeled
        return super().terms(batch | {"labels": tf.where(lost, self.classes, labels)})

    @override
    def network_output(self, x_t, t, labels, guidance=None):
        """Returns predictions for labels, guided away from unconditional predictions by eq. (6)."""
        if guidance is None:
            return self.predicted(x_t, t, labels)
        none = tf.fill(tf.shape(labels), self.classes)
        both = [tf.concat(pair, axis=0) for pair in ((x_t, x_t), (t, t), (labels, none))]
        with_label, without = tf.split(self.predicted(*both), 2)
        return (1 + guidance) * with_label - guidance * without

    @override
    def from_noise(self, noise, label=-1, guidance=0.0, steps=50, solver="ddim"):
        """Samples examples of the given classes, or of random classes."""
        return self.solved(noise, steps, solver, labels=label, guidance=guidance)

    @override
    @capability
    def encode(self, x, labels):
        """Returns the latents of examples of given classes, float32 `[n, ...]`."""
        return {"latents": self.encoded(x, labels=labels)}

    @override
    @capability
    def decode(self, latents, labels):
        """Returns the examples for latents `[n, ...]` and classes."""
        return {"x": self.decoded(latents, labels=labels)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_classes(self.classes + 1, self.network, place=2)  # the last label means no class
        self.edges |= label_edges(self.classes)
        most = MOST_GUIDANCE
        why = ""
        if not self.unlabeled:
            most = 0.0
            why = ", because nothing is trained without labels if unlabeled=0"
        self.edges["guidance"] = Number(0.0, most, "guidance", why)
