"""InfoGAN ablation on MNIST: the mutual-information term.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: "InfoGAN: Interpretable Representation Learning
by Information Maximizing Generative Adversarial Nets", NeurIPS 2016, eq. (6) and fig. 1.

  python recipes/info_gan_ablation_mnist.py                    36 minutes on one of two CPU cores
  python recipes/info_gan_ablation_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: with the term, the category is predicted correctly for all images
(2.30 nats of information); without it, for 12% (0.00 nats). With the term, the categories match the
labels of half of the test digits (k-means on strokes: 91%).

The GAN of info_gan_mnist.py is trained twice, with weights 1 and 0 for the term, from the same seed
and for the same number of steps, with the same codes for the generator. Without the term, Q is not
trained, so its predictions would not prove anything. Therefore, a classifier is then trained on
each generator's images to predict their category. The classifier's accuracy on new generated images
shows how much information about the categories the images contain. Its accuracy on test digits
shows how well the categories correspond to digits; each category is matched to a label on training
digits, as in info_gan_mnist.py. The baselines for the accuracy on test digits are k-means on pixels
and on strokes.

Deviations: as in info_gan_mnist.py, whose model is trained for more steps.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses

import keras
import numpy as np
from keras.optimizers import Adam
from scipy.special import log_softmax
from sklearn.cluster import KMeans

from keras_gen.data import small_images
from keras_gen.files.images import flat_pixels
from keras_gen.gan import InfoGAN
from keras_gen.metrics import matched_accuracy, train_classifier
from keras_gen.networks import info_gan_networks
from keras_gen.workshop.baselines import stroke_codes
from keras_gen.workshop.visualize import captioned


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 62  # Number of latent dimensions, not counting the codes
    filters: int = 64  # Channels at the highest resolution
    hidden: int = 1024  # Units in each dense layer
    d_learning_rate: float = 2e-4  # Adam's learning rate for the discriminator and the network Q
    g_learning_rate: float = 1e-3  # Adam's learning rate for the generator
    beta_1: float = 0.5  # Adam's beta_1, the decay rate of the gradients' running average
    augmentation: str = "affine"
    """Augmentation applied to all inputs of the discriminator and Q."""
    drawn: int = 20_000  # Number of generated images used to train each category classifier
    classifier_steps: int = 1500  # Number of training steps for each category classifier
    starts: int = 5  # Number of k-means restarts; the tightest clustering is kept


PRESETS = {
    "smoke": dict(latent_dim=8, filters=4, hidden=16, epochs=2, steps_per_epoch=10, batch_size=32,
                  steps_per_execution=5, drawn=200, classifier_steps=20, starts=1),
    "cpu": dict(filters=16, hidden=256, epochs=10, steps_per_epoch=450, batch_size=128,
                grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=50, steps_per_epoch=100, batch_size=128, grid_every=5),
}  # fmt: skip

CATEGORIES = 10
NUMBERS = 2
CLUSTERED = 10_000  # number of digits whose strokes are clustered


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train = data.for_validation(len(data.train) // 6).train
    images, labels = train.arrays()
    test_images, test_labels = data.test.arrays()

    with run.strategy.scope():
        model = build(run, s, weight=1.0)
        without_term = build(run, s, weight=0.0)

    # Each step: one update of the discriminator and Q, then one update of the generator.
    digits = train.map(without_label)
    run.fit(model, digits, draw_categories)
    run.export(model, default="sample")
    run.fit(without_term, digits, draw_categories, part="without_term")

    # The baselines' inputs are pixels, and codes of the strokes of the first digits.
    inputs = {
        "kmeans": (flat_pixels(images), flat_pixels(test_images)),
        "strokes": stroke_codes(images[:CLUSTERED], test_images),
    }

    with run.evaluation(model) as metrics:

        def error(found, test_found):
            """Returns the test error, in %, of categories that are each matched to one label."""
            known = (found, labels[: len(found)])
            return 100 * (1 - matched_accuracy(known, test_found, test_labels))

        for name, gan in {"with": model, "without": without_term}.items():
            own = [gan.recognize(each)[0].argmax(axis=1) for each in (images, test_images)]
            metrics[f"own_error_{name}"] = error(*own)

            run.say(f"classifying images by category, {name} the information term")
            asked = np.arange(s.drawn) % CATEGORIES
            drawn = gan.sample(s.drawn, seed=s.seed, label=asked)
            classifier = train_classifier(
                drawn, asked, CATEGORIES, steps=s.classifier_steps, seed=s.seed
            )
            found, test_found = (
                answers(classifier, each).argmax(axis=1) for each in (images, test_images)
            )
            metrics[f"error_{name}"] = error(found, test_found)
            asked = np.arange(len(test_images)) % CATEGORIES
            drawn = gan.sample(len(asked), seed=s.seed + 1, label=asked)
            log_q = log_softmax(answers(classifier, drawn), axis=1)
            metrics[f"told_{name}"] = (log_q.argmax(axis=1) == asked).mean()
            # Compute eq. (5) for the categories alone.
            likely = log_q[np.arange(len(asked)), asked].mean()
            metrics[f"information_{name}"] = likely + np.log(CATEGORIES)

        for name, (known, compared) in inputs.items():
            clusters = KMeans(CATEGORIES, n_init=s.starts, random_state=s.seed).fit(known)
            metrics[f"error_{name}"] = error(clusters.labels_, clusters.predict(compared))
        metrics["error_chance"] = 100 * (1 - 1 / CATEGORIES)
        metrics["told_chance"] = 1 / CATEGORIES
        run.draw("without", draw_categories(without_term))


def build(run, s, weight):
    """Returns a compiled InfoGAN with initial weights from the seed."""
    keras.utils.set_random_seed(s.seed)
    networks = info_gan_networks(
        (28, 28, 1),
        s.latent_dim,
        CATEGORIES,
        NUMBERS,
        filters=s.filters,
        hidden=s.hidden,
        scales=False,
    )
    model = InfoGAN(
        *networks,
        (CATEGORIES,),
        NUMBERS,
        weight=weight,
        continuous_weight=weight,
        augmentation=s.augmentation.split(),
        seed=s.seed,
    )
    d_optimizer = Adam(s.d_learning_rate, s.beta_1)
    g_optimizer = Adam(s.g_learning_rate, s.beta_1)
    run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)
    return model


def without_label(image, _):
    return image


def answers(classifier, images):
    """Returns the classifier's logits for the categories."""
    return classifier.predict(images, verbose=0)["logits"]


def draw_categories(model):
    """Shows a row for each category, with the same ten latents in all rows."""
    latents = np.tile(model.draw_latents(10, seed=0), [CATEGORIES, 1])
    codes = np.zeros([len(latents), CATEGORIES + NUMBERS], "float32")
    codes[:, :CATEGORIES] = np.eye(CATEGORIES).repeat(10, axis=0)
    rows = np.split(model.generate(latents, codes), CATEGORIES)
    return captioned(rows, [f"category {number}" for number in range(CATEGORIES)])


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
