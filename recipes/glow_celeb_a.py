"""Glow on CelebA: likelihood and latent arithmetic with smiles.

Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018.

  python recipes/glow_celeb_a.py                    about 18 minutes on one of two CPU cores
  python recipes/glow_celeb_a.py --preset smoke     under a minute

Expected result of the cpu preset: 3.86 bits per dimension (boosted trees: 3.79; WebP: 4.68).

The density of test faces, with 256 levels and uniform dequantization, is compared with lossless
codecs (PNG, WebP), probabilistic PCA, a histogram per value, and `ColorContexts`, which predicts
each value from the preceding values with ridge regression and boosted trees. The weights from the
epoch with the best loss on held-out training faces are kept.

The latents of test faces without a smile are shifted by the difference between the mean latents of
smiling faces and of other faces. Two classifiers measure how many of these faces smile after the
shift, and how many keep their sex. The baseline is the same arithmetic on pixels. `smiles.png`
shows less of a smile on the left and more on the right.

Deviations: the faces have 32x32 pixels with 256 levels, and there are three scales with a few small
flow steps. The paper uses 256x256 pixels with 32 levels, and reports neither bits for these images
nor metrics for the latent arithmetic.

Data: celeb_a through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import LEAST_COMPARED, Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import density_bits, extractor_accuracies

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import Source, faces, random_crop_flip
from keras_gen.flows import Flow
from keras_gen.metrics import bits_per_dimension, trained_extractors
from keras_gen.networks import glow
from keras_gen.workshop.baselines import ColorContexts, image_baselines
from keras_gen.workshop.visualize import interpolations, manipulated, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    images: Path | None = None  # Your own image folder, with four class subfolders
    size: int = 32  # Side length of the face images, in pixels; a multiple of 2^scales
    scales: int = 3  # Number of scales, L
    steps: int = 6  # Number of flow steps per scale, K
    filters: int = 64  # Hidden channels of the coupling networks
    lu: bool = False  # Store matrices as LU decompositions
    alpha: float = 0.05
    """Minimum distance of the scaled pixel values from 0 and 1 before the logit transform."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.99
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    temperature: float = 0.7  # Standard deviation of the latents for sampling
    amount: float = 1.0  # Shift of the faces' latents, as a multiple of the attribute direction
    held_out: int = 100
    """Number of images at the end of the training set, held out to choose the epoch and the number
    of PCA components."""
    boosted: int = 400_000
    """Number of values per channel used to train the boosted trees, a baseline."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier
    components: str = "100 200 400 800 1200 1600"
    """Candidate numbers of PCA components; the best number is chosen."""


PRESETS = {
    "smoke": dict(steps=1, filters=4, epochs=2, steps_per_epoch=5, batch_size=8, held_out=20,
                  boosted=1000, classifier_steps=20, components="2 10"),
    "cpu": dict(epochs=12, steps_per_epoch=300, batch_size=16, grid_every=5),
    "paper": dict(size=64, scales=4, steps=32, filters=512, epochs=200, steps_per_epoch=1000,
                  batch_size=32, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = faces(s.size, images=s.images, labels=True)
    data = run.load(data, train=s.batch_size + s.held_out, test=LEAST_COMPARED)
    split = data.for_validation(s.held_out)
    train, labels = split.train.arrays()
    held_out, _ = split.test.arrays()
    test, test_labels = data.test.arrays()
    smiling = train[labels >= 2]
    serious = train[labels < 2]
    faces_to_move = test[test_labels < 2]
    if not min(len(smiling), len(serious), len(faces_to_move)):
        raise ValueError(
            f"There are {len(smiling)} training images of smiles, and {len(serious)} training "
            f"and {len(faces_to_move)} test images without smiles: expected at least one of "
            "each. Provide images in subfolders of four classes, of which the last two show "
            "smiles."
        )

    with run.strategy.scope():
        flow = glow(train.shape[1:], s.scales, s.steps, s.filters, s.alpha, s.lu, seed=s.seed)
        model = Flow(flow, levels=256, seed=s.seed)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    def validate(model):
        return {"bits": density_bits(model, held_out)["bits_nll"]}

    # Each step: one gradient update on the density of dequantized levels.
    augment = random_crop_flip(s.size)
    stream = partial(Source(train).stream, s.batch_size, s.seed, augment=augment)
    draw = partial(samples, temperature=s.temperature)
    run.fit(model, stream, draw, validate=validate, best="bits")
    run.restore_best(model)
    run.export(model, default="sample", half=True)

    run.say(
        "evaluating the baselines: lossless codecs, PCA, and one histogram per pixel and channel"
    )
    mirrored = np.concatenate([train, train[:, :, ::-1]])
    components = [int(number) for number in s.components.split()]
    baselines = image_baselines(mirrored, held_out, test, components)
    contexts = ColorContexts(train, values=s.boosted, seed=s.seed)
    nats = -contexts.log_prob(test).mean()
    baselines["bits_contexts"] = float(bits_per_dimension(nats, test[0].size, "none"))

    # Train the classifiers that evaluate shifted faces.
    extractors = trained_extractors(train, labels, s.classifier_steps)

    with run.evaluation(model) as metrics:
        metrics |= density_bits(model, test)
        metrics |= baselines
        metrics |= extractor_accuracies(extractors)

        moved = model.manipulate(faces_to_move, smiling, serious, [s.amount])[:, 0]
        difference = smiling.mean(axis=0) - serious.mean(axis=0)
        shifted = np.clip(faces_to_move + s.amount * difference, 0, 255).astype("uint8")
        before = test_labels[test_labels < 2]
        sets = {"moved": moved, "pixels": shifted, "untouched": faces_to_move}
        for name, images in sets.items():
            found = [extract(images)["logits"].argmax(axis=1) for extract in extractors.values()]
            metrics[f"smiling_{name}"] = min((each >= 2).mean() for each in found)
            metrics[f"same_sex_{name}"] = min((each % 2 == before).mean() for each in found)
        run.draw("smiles", manipulated(model, faces_to_move[:8], smiling, serious))
        starts, ends = np.split(test[: 2 * min(6, len(test) // 2)], 2)
        run.draw("lines", interpolations(model, starts, ends))
        run.draw("warm_samples", samples(model, temperature=1.0))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
