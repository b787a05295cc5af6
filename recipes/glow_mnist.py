"""Glow: digits as latents of several scales, by a flow of invertible 1x1 convolutions.

Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018.

  python recipes/glow_mnist.py                    38 minutes on one of two CPU cores
  python recipes/glow_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: 1.306 bits per dimension of test digits; 1.690 by a histogram of
each pixel. With --steps 8 --filters 64 it is 1.194, in 106 minutes; the committed export is so.
Boosted trees, which predict each pixel from those before it, have 0.990, in under two minutes.

The density of test digits, of 256 levels and with uniform noise of a level's width, is held against
files without loss (PNG, WebP), probabilistic PCA, a histogram of each pixel, and boosted trees. The
paper has no MNIST. Glow's 1.05 bits per dimension are those of Grathwohl, Chen, Bettencourt,
Sutskever, Duvenaud: "FFJORD: Free-Form Continuous Dynamics for Scalable Reversible Generative
Models", ICLR 2019, table 2. Samples are drawn at a temperature below 1, as in the paper. Lines join
the latents of two digits.

Deviations: two scales in place of three, for digits have 28 pixels a side, and fewer and smaller
steps of flow. The preset paper pads digits to 32x32 and has three scales of 32 steps; their bits
are still counted for 28x28 values, so that those of the padding are added. Pixels are mostly black
or white, so alpha, which was chosen with held-out digits, is far below the 0.05 of Real NVP.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import boosted_bits, density_bits

import dataclasses
from functools import partial

from keras.optimizers import Adam

from keras_gen.data import pad_to, small_images
from keras_gen.flows import Flow
from keras_gen.metrics import squared_error
from keras_gen.networks import glow
from keras_gen.workshop.baselines import image_baselines
from keras_gen.workshop.visualize import interpolations, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    side: int = 28  # Pixels of a side, to which digits are padded: a multiple of 2^scales
    scales: int = 2  # L
    steps: int = 8  # K, steps of flow at each scale
    filters: int = 64  # Hidden channels of the couplings' networks
    lu: bool = False  # Whether the matrices are kept as their LU decompositions
    alpha: float = 5e-4  # Distance of scaled levels from 0 and 1 before the logit
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    ema: float = 0.999  # Momentum of the average of the weights
    temperature: float = 0.7  # Deviation of the latents that samples are drawn from
    held_out: int = 1000  # Last training images, by which the PCA is chosen
    tested: int = 10_000  # Test images, the first ones
    boosted: int = 200_000  # Pixels that boosted trees learn from, a baseline
    components: str = "10 30 100 200 300"
    """Numbers of components, among which one is chosen for the PCA."""


PRESETS = {
    "smoke": dict(steps=1, filters=4, epochs=2, steps_per_epoch=5, batch_size=8, held_out=50,
                  tested=50, components="2 10", boosted=1000),
    "cpu": dict(steps=4, filters=32, epochs=20, steps_per_epoch=1000, batch_size=32),
    "paper": dict(side=32, scales=3, steps=32, filters=512, epochs=100, steps_per_epoch=1000,
                  batch_size=64, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    split = data.for_validation(s.held_out)
    test = data.test.arrays()[: s.tested]
    padded = pad_to(test, s.side).numpy()

    shape = (s.side, s.side, 1)
    with run.strategy.scope():
        flow = glow(shape, s.scales, s.steps, s.filters, s.alpha, s.lu, seed=s.seed)
        model = Flow(flow, levels=256, seed=s.seed)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    # Each step: one update along the gradient of the density of levels with noise.
    train = split.train.map(partial(pad_to, size=s.side))
    draw = partial(samples, temperature=s.temperature)
    run.fit(model, train, draw)
    run.export(model, default="sample")

    run.say("measuring files, principal components and a histogram of each value")
    components = [int(number) for number in s.components.split()]
    baselines = image_baselines(split.train.arrays(), split.test.arrays(), test, components)
    baselines |= boosted_bits(run, split.train.arrays(), test)

    with run.evaluation(model) as metrics:
        run.say(f"the density of {len(test)} test images")
        metrics |= density_bits(model, padded, dimensions=test[0].size)
        metrics |= baselines
        decoded = model.decode(model.encode(padded))
        metrics["reconstruction_error"] = squared_error(padded, decoded).mean()
        run.say(f"squared error of decoded latents: {metrics['reconstruction_error']:.3g}")
        run.draw("warm_samples", samples(model, temperature=1.0))
        run.draw("lines", interpolations(model, padded[:8], padded[8:16]))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
