"""PixelRNN on binarized MNIST: Row LSTM and Diagonal BiLSTM.

Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016.

  python recipes/pixel_rnn_mnist.py                    19 minutes on one of two CPU cores
  python recipes/pixel_rnn_mnist.py --kind row         12 minutes on one of two CPU cores
  python recipes/pixel_rnn_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a test NLL of 84.9 nats with the Diagonal BiLSTM and 86.9 with
the Row LSTM (boosted trees on the 36 preceding pixels: 91.8).

The Row LSTM sees a triangle above each pixel, whereas the Diagonal BiLSTM sees almost all preceding
pixels. A step computes 28 rows sequentially, or 55 diagonals in each of two directions. The paper
reports 80.54 nats for the Row LSTM and 79.20 for seven layers of the Diagonal BiLSTM.

Deviations: digits are binarized dynamically, whereas the paper binarizes them once; Adam is used
instead of RMSProp.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial
from typing import Literal

from keras.optimizers import Adam

from keras_gen.autoregressive import PixelRNN
from keras_gen.data import binarize, small_images
from keras_gen.metrics import nll_summary
from keras_gen.networks import pixel_rnn
from keras_gen.workshop.visualize import samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    kind: Literal["row", "diagonal"] = "diagonal"
    """Pixels that an LSTM computes in one step: a row or a diagonal."""
    units: int = 16
    """Number of features in an LSTM state, half the number of feature maps between blocks."""
    blocks: int = 3  # Number of LSTM blocks
    head_filters: int = 32  # Feature maps of the layers before the output layer
    learning_rate: float = 3e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.99
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline
    templates: str = "300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""


PRESETS = {
    "smoke": dict(units=2, blocks=1, epochs=2, steps_per_epoch=10, batch_size=4, templates="5 10",
                  boosted=1000),
    "cpu": dict(epochs=10, steps_per_epoch=400, batch_size=16, grid_every=5,
                steps_per_execution=50),
    "paper": dict(blocks=7, epochs=100, steps_per_epoch=3750, batch_size=16, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays(s.seed, binarize)
    test = data.test.arrays(s.seed, binarize)

    with run.strategy.scope():
        network = pixel_rnn(
            (28, 28, 1),
            outputs_per_value=1,
            units=s.units,
            blocks=s.blocks,
            kind=s.kind,
            head_filters=s.head_filters,
            levels=2,
        )
        model = PixelRNN(network, "bernoulli", seed=s.seed)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    # Each step: all pixels are predicted from earlier pixels, row by row or diagonal by diagonal.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(model, stream, samples)
    run.export(model, default="sample")

    # Fit the baselines: mixtures, trees, and a table. Trees and the table predict each pixel from
    # earlier pixels.
    baselines = binary_baselines(run, train, test)

    with run.evaluation(model) as metrics:
        run.say(f"computing the NLL of {len(test)} test digits")
        metrics |= nll_summary({"nll": -model.log_prob(test)})
        metrics |= baselines


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
