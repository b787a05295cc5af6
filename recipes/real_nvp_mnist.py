"""Real NVP on MNIST.

Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017.

  python recipes/real_nvp_mnist.py                    76 minutes on one of two CPU cores
  python recipes/real_nvp_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: 1.154 bits per dimension on test digits (per-pixel histogram:
1.690). With --scales 2 --filters 8 --epochs 12, the result is 1.304 after 17 minutes. Boosted
trees, which predict each pixel from the preceding pixels, reach 0.990 in under two minutes.

The density of test digits, with 256 levels and uniform dequantization, is compared with lossless
codecs (PNG, WebP), probabilistic PCA, a histogram per pixel, and boosted trees. The paper does not
use MNIST. The reference value for Real NVP, 1.06 bits per dimension, comes from Grathwohl, Chen,
Bettencourt, Sutskever, Duvenaud: "FFJORD: Free-Form Continuous Dynamics for Scalable Reversible
Generative Models", ICLR 2019, table 2. Images are sampled at a temperature below 1. `lines.png`
interpolates between the latents of two digits.

Deviations: see `keras_gen.networks.real_nvp`. In addition, the residual networks are smaller.
Pixels are mostly black or white, so alpha, which was chosen on held-out digits, is far below the
paper's 0.05.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import boosted_bits, density_bits

import dataclasses
from functools import partial

from keras.optimizers import Adam

from keras_gen.data import small_images
from keras_gen.flows import Flow
from keras_gen.metrics import squared_error
from keras_gen.networks import real_nvp
from keras_gen.workshop.baselines import image_baselines
from keras_gen.workshop.visualize import interpolations, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    scales: int = 2  # Number of scales; the last scale has no squeeze
    blocks: int = 1  # Number of residual blocks in each coupling network
    filters: int = 8  # Hidden channels before the first squeeze, doubled by each squeeze
    alpha: float = 5e-4
    """Minimum distance of the scaled pixel values from 0 and 1 before the logit transform."""
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.999
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    temperature: float = 0.7  # Standard deviation of the latents for sampling
    held_out: int = 1000
    """Number of images at the end of the training set, held out to choose the number of PCA
    components."""
    tested: int = 10_000  # Number of test images; the first ones are used
    boosted: int = 200_000  # Number of pixels used to train the boosted trees, a baseline
    components: str = "10 30 100 200 300"
    """Candidate numbers of PCA components; the best number is chosen."""


PRESETS = {
    "smoke": dict(filters=2, epochs=2, steps_per_epoch=5, batch_size=8, held_out=50, tested=50,
                  components="2 10", boosted=1000),
    "cpu": dict(scales=3, filters=16, epochs=32, steps_per_epoch=1000, batch_size=16,
                grid_every=4),
    "paper": dict(scales=3, blocks=8, filters=32, epochs=100, steps_per_epoch=1000,
                  batch_size=64, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    split = data.for_validation(s.held_out)
    test = data.test.arrays()[: s.tested]

    with run.strategy.scope():
        flow = real_nvp(test.shape[1:], s.scales, s.blocks, s.filters, s.alpha)
        model = Flow(flow, levels=256, seed=s.seed)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    # Each step: one gradient update on the density of dequantized levels.
    run.fit(model, split.train, partial(samples, temperature=s.temperature))
    run.export(model, default="sample")

    run.say("evaluating the baselines: lossless codecs, PCA, and one histogram per pixel")
    components = [int(number) for number in s.components.split()]
    baselines = image_baselines(split.train.arrays(), split.test.arrays(), test, components)
    baselines |= boosted_bits(run, split.train.arrays(), test)

    with run.evaluation(model) as metrics:
        run.say(f"computing the density of {len(test)} test images")
        metrics |= density_bits(model, test)
        metrics |= baselines
        decoded = model.decode(model.encode(test))
        metrics["reconstruction_error"] = squared_error(test, decoded).mean()
        run.say(f"squared error of reconstructions: {metrics['reconstruction_error']:.3g}")
        run.draw("lines", interpolations(model, test[:8], test[8:16]))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
