"""Objectives of GANs, each with ways to hold the discriminator back: a table with its failures.

Goodfellow et al. 2014 (non-saturating); Mao et al. 2017 (least squares); Arjovsky et al. 2017
(Wasserstein); Lim, Ye 2017 (hinge); Jolicoeur-Martineau 2019 (relativistic); each with R1
(Mescheder et al. 2018), the gradient penalty (Gulrajani et al. 2017), spectral normalization
(Miyato et al. 2018) and nothing; the first also with consistency regularization (Zhang et al. 2020)
and DiffAugment (Zhao et al. 2020). As Lucic et al. 2018 do it at large, all train one small DCGAN
from the same weights on as many images, here at two time scales (Heusel et al. 2017), compared as
in dcgan_fashion_mnist.py. A training that ends in NaN is measured as it was before, and says so, as
it says what `AdversarialHealth` did.

  python recipes/gan_objectives_fashion_mnist.py  # about 27 minutes on one of two CPU cores
  python recipes/gan_objectives_fashion_mnist.py --preset smoke  # about a minute

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), padded to
32x32, in the cpu preset then shrunk to 16x16, for 32x32 would take more steps. Deviations: papers
train larger networks for longer; critics take one step for each of the generator; the discriminator
has no batch normalization, which penalties rule out.
"""

import dataclasses

import keras
import numpy as np
from keras.optimizers import Adam

from keras_gen.baselines import mixture_samples
from keras_gen.callbacks import AdversarialHealth
from keras_gen.data import pad_to, resize_cover, small_images
from keras_gen.gan import GAN
from keras_gen.losses import R1
from keras_gen.metrics import GenerationEvaluation, trained_extractors
from keras_gen.networks import dcgan_discriminator, dcgan_generator
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import NonFiniteLossError
from keras_gen.visualize import samples, strips

OBJECTIVES = ("non_saturating", "least_squares", "wasserstein", "hinge", "relativistic")
# The first one is the main model.
TABLE = [(o, hold) for o in OBJECTIVES for hold in ("r1", "gradient", "spectral", "none")]
TABLE += [(OBJECTIVES[0], hold) for hold in ("consistency", "augmentation")]
FIGURES = ("frechet_ratio", "kernel_distance_conv", "pyramid_16")


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    size: int = 32  # Side of the images
    latent_dim: int = 64  # Dimensions of the latents
    filters: int = 64  # Channels of the discriminator's first layer; they double with every stage
    d_rate: float = 4e-4  # Adam's rate for the discriminator
    g_rate: float = 1e-4  # Adam's rate for the generator
    r1_weight: float = 10.0  # Weight of R1
    combinations: int = len(TABLE)  # How many of the table are trained
    compared: int = 10_000  # Samples, test images and training images that are compared
    classifier_steps: int = 1500  # Of each classifier whose features they are compared in


PRESETS = {
    "smoke": dict(filters=4, epochs=2, steps_per_epoch=10, batch_size=32, combinations=2,
                  compared=200, classifier_steps=20),
    "cpu": dict(size=16, filters=16, g_rate=4e-4, r1_weight=0.1, epochs=10, steps_per_epoch=200,
                batch_size=64, grid_every=5, compared=2000, steps_per_execution=50),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=64, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("fashion_mnist", labels=True))
    labeled, test = (
        part.map(lambda image, label: (resize_cover(pad_to(image, 32), s.size), label))
        for part in (data.train, data.test)
    )
    train = labeled.map(lambda image, _: image)
    images, model, said = train.arrays(), compiled(run, s, *TABLE[0]), []
    run.fit(model, train, samples, callbacks=[AdversarialHealth(images[:500], say=said.append)])

    with run.evaluation(model) as metrics:
        extractors = trained_extractors(*labeled.arrays(), s.classifier_steps, s.seed)
        floor = test.take(s.compared).arrays()[0]
        evaluate = GenerationEvaluation(extractors, images[: s.compared], floor, s.seed)
        rows = {"_".join(TABLE[0]): measured(model, evaluate, s, said)}
        for cell in TABLE[1 : s.combinations]:
            name = "_".join(cell)
            rows[name] = run.once(name, trained, run, s, cell, train, evaluate)
        shown = {name: np.array(row["samples"], "uint8") for name, row in rows.items()}
        run.draw("combinations", strips(shown | {"test images": floor[:10]}))
        mixture = mixture_samples(images, s.compared, seed=s.seed)
        rows |= {"baseline": evaluate(mixture), "floor": evaluate(floor)}
        for key in (*FIGURES, "health", "stopped"):
            metrics |= {f"{key}_{name}": row[key] for name, row in rows.items() if key in row}
        metrics |= {f"extractor_{k}": each.name for k, each in extractors.items()}
        metrics |= {f"extractor_accuracy_{k}": each.accuracy for k, each in extractors.items()}
    run.export(model, default="sample")


def compiled(run, s, objective, hold):
    """The model of one combination, with the same initial weights as the others."""
    keras.utils.set_random_seed(s.seed)
    penalties = {"r1": R1(s.r1_weight), "gradient": "gradient", "consistency": "consistency"}
    changes = ("color", "translation", "cutout") if hold == "augmentation" else ()
    shape = (s.size, s.size, 1)
    with run.strategy.scope():
        generator = dcgan_generator(shape, s.latent_dim, s.filters)
        spectral = "spectral" if hold == "spectral" else None
        discriminator = dcgan_discriminator(shape, s.filters, spectral)
        options = dict(seed=s.seed, augmentation=changes)
        model = GAN(generator, discriminator, objective, penalties.get(hold), **options)
        run.compile(model, d_optimizer=Adam(s.d_rate, 0.5), g_optimizer=Adam(s.g_rate, 0.5))
    return model


def trained(run, s, cell, train, evaluate):
    """What a combination comes to, whether or not its training ends well."""
    model, said, stream = compiled(run, s, *cell), [], train.stream(s.batch_size, s.seed)
    health = AdversarialHealth(train.take(500).arrays(), say=said.append)
    try:
        steps = dict(epochs=s.epochs, steps_per_epoch=s.steps_per_epoch)
        model.fit(stream, **steps, verbose=0, callbacks=[health])
    except NonFiniteLossError as error:
        return measured(model, evaluate, s, said) | {"stopped": str(error)}
    return measured(model, evaluate, s, said)


def measured(model, evaluate, s, said):
    """The figures of a model's samples, what was said of it, and some of the samples."""
    found, shown = evaluate(model.sample(s.compared, seed=s.seed)), model.sample(10, seed=1)
    return {k: found[k] for k in FIGURES} | {"health": said, "samples": shown.tolist()}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
