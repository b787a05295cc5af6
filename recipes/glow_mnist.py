"""Glow on MNIST.

Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018.

  python recipes/glow_mnist.py                    38 minutes on one of two CPU cores
  python recipes/glow_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: 1.306 bits per dimension on test digits (per-pixel histogram:
1.690). With --steps 8 --filters 64, the exported model reaches 1.194 in 106 minutes. Boosted trees,
which predict each pixel from the preceding pixels, reach 0.990 in under two minutes.

The density of test digits, with 256 levels and uniform dequantization, is compared with lossless
codecs (PNG, WebP), probabilistic PCA, a histogram per pixel, and boosted trees. The paper does not
use MNIST. The reference value for Glow, 1.05 bits per dimension, comes from Grathwohl, Chen,
Bettencourt, Sutskever, Duvenaud: "FFJORD: Free-Form Continuous Dynamics for Scalable Reversible
Generative Models", ICLR 2019, table 2. Images are sampled at a temperature below 1, as in the
paper. `lines.png` interpolates between the latents of two digits.

Deviations: two scales instead of three, because digits have 28 pixels per side; and fewer and
smaller flow steps. The paper preset pads digits to 32x32, and has three scales with 32 steps; the
bits are still divided by 28x28 values and thus include the bits for the padding. Pixels are mostly
black or white, so alpha, which was chosen on held-out digits, is far below Real NVP's 0.05.

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
    side: int = 28  # Side length, in pixels, to which digits are padded; a multiple of 2^scales
    scales: int = 2  # Number of scales, L
    steps: int = 8  # Number of flow steps per scale, K
    filters: int = 64  # Hidden channels of the coupling networks
    lu: bool = False  # Store matrices as LU decompositions
    alpha: float = 5e-4
    """Minimum distance of the scaled pixel values from 0 and 1 before the logit transform."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.999
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    temperature: float = 0.7  # Standard deviation of the latents for sampling
    held_out: int = 1000
    """Number of training images held out to choose the number of PCA components."""
    tested: int = 10_000  # Number of test images; the first ones are used
    boosted: int = 200_000  # Number of pixels used to train the boosted trees, a baseline
    components: str = "10 30 100 200 300"
    """Candidate numbers of PCA components; the best number is chosen."""


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

    # Each step: one gradient update on the density of dequantized levels.
    train = split.train.map(partial(pad_to, size=s.side))
    draw = partial(samples, temperature=s.temperature)
    run.fit(model, train, draw)
    run.export(model, default="sample")

    run.say("evaluating the baselines: lossless codecs, PCA, and one histogram per pixel")
    components = [int(number) for number in s.components.split()]
    baselines = image_baselines(split.train.arrays(), split.test.arrays(), test, components)
    baselines |= boosted_bits(run, split.train.arrays(), test)

    with run.evaluation(model) as metrics:
        run.say(f"computing the density of {len(test)} test images")
        metrics |= density_bits(model, padded, dimensions=test[0].size)
        metrics |= baselines
        decoded = model.decode(model.encode(padded))
        metrics["reconstruction_error"] = squared_error(padded, decoded).mean()
        run.say(f"squared error of reconstructions: {metrics['reconstruction_error']:.3g}")
        run.draw("warm_samples", samples(model, temperature=1.0))
        run.draw("lines", interpolations(model, padded[:8], padded[8:16]))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
