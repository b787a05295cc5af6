"""PixelCNN and its blind spot on binarized MNIST.

Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016.

  python recipes/pixel_cnn_mnist.py                    52 minutes on one of two CPU cores
  python recipes/pixel_cnn_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a test NLL of 87.0 nats (boosted trees on the 36 preceding
pixels: 91.8; table of 16 pixels: 101.9).

`blind_spot.png` shows which pixels influence the distribution of a central pixel, according to
gradients. Bright pixels have an influence; red pixels precede the central pixel but have no
influence, however deep the network is. Gated PixelCNN has no blind spot.

Deviations: digits are rebinarized in each epoch, whereas the paper binarizes them once; Adam is
used instead of RMSProp.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial

from keras.optimizers import Adam

from keras_gen.autoregressive import PixelCNN
from keras_gen.data import binarize, small_images
from keras_gen.metrics import lower_edge_ink, nll_summary
from keras_gen.networks import pixel_cnn
from keras_gen.workshop.visualize import samples, seen_pixels

SHAPE = (28, 28, 1)


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    filters: int = 24  # Half the number of feature maps between the blocks (h in the paper)
    blocks: int = 12  # Number of residual blocks
    learning_rate: float = 3e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.99
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    tested: int = 10_000  # Number of test digits; the first ones are used
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline
    templates: str = "300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""


PRESETS = {
    "smoke": dict(filters=4, blocks=1, epochs=2, steps_per_epoch=10, batch_size=4, tested=20,
                  templates="5 10", boosted=1000),
    "cpu": dict(epochs=18, steps_per_epoch=1000, batch_size=16, grid_every=6,
                steps_per_execution=50),
    "paper": dict(filters=32, blocks=7, epochs=200, steps_per_epoch=3750, batch_size=16,
                  grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays(s.seed, binarize)
    test = data.test.arrays(s.seed, binarize)[: s.tested]

    with run.strategy.scope():
        network = pixel_cnn(
            SHAPE, outputs_per_value=1, filters=s.filters, blocks=s.blocks, levels=2
        )
        model = PixelCNN(network, "bernoulli", seed=s.seed)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    # Each step: all pixels are predicted in parallel, each from earlier pixels.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(model, stream, samples)
    run.export(model, default="sample")

    # Fit the baselines: mixtures, trees, and a table. Trees and the table predict each pixel from
    # earlier pixels.
    baselines = binary_baselines(run, train, test)

    with run.evaluation(model) as metrics:
        run.say(f"computing the NLL of {len(test)} test digits")
        nats = -model.log_prob(test)
        metrics |= nll_summary({"nll": nats})
        metrics |= baselines
        drawn = model.sample(min(s.tested, 1000), seed=s.seed)
        metrics["edge_ink"] = lower_edge_ink(drawn)
        metrics["floor_edge_ink"] = lower_edge_ink((255 * test).astype("uint8"))
        run.draw("blind_spot", seen_pixels(network, row=14, column=14))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
