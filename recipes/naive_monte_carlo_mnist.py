"""Why latents are inferred: a decoder trained by draws of the prior, beside a VAE, on binary MNIST.

Doersch: "Tutorial on Variational Autoencoders", arXiv 1606.05908, 2016, sec. 2: log p(x) could be
estimated by latents drawn from the prior, but for most of them p(x|z) is nearly 0. Both models have
the same decoder, of two latents, where such a draw meets the right ones most easily, and take as
many steps on the same batches; the naive one decodes 50 latents of each digit in a step, the VAE
one. The effective sample size says how many of the 50 carry the weight; the figure over the epochs
is `effective_sample_size.png`. It falls as the decoder sharpens: the better it gets, the fewer
pairs of latents and digit teach it.

The NLL of both is log p(x) itself, a sum over a grid of the two latents that needs no encoder.
The tutorial has no figures; the networks are those of `vae_mnist` but for the latents.

  python recipes/naive_monte_carlo_mnist.py                 about 4 minutes on two CPU cores
  python recipes/naive_monte_carlo_mnist.py --preset smoke  under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import keras
import numpy as np

from keras_gen.baselines import BernoulliMixture
from keras_gen.data import binarize, small_images
from keras_gen.metrics import importance_weighted_nll, latent_grid_mixture, nll_summary
from keras_gen.networks import mlp_decoder, mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import VAE, PriorSampledModel
from keras_gen.visualize import line_plot, manifold


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    samples: int = 50  # Latents of the prior that are decoded for each digit
    hidden: int = 200  # Units of each of the two hidden layers of encoder and decoder
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    side: int = 300  # Points of the grid on each axis, from -4.5 to 4.5
    templates: str = "300 1000"
    """Of the mixture of Bernoulli distributions beside them; of several numbers one is chosen,
    with held-out training digits."""


PRESETS = {
    "smoke": dict(hidden=32, samples=10, epochs=2, steps_per_epoch=20, batch_size=20, side=20,
                  templates="5 10"),
    "cpu": dict(epochs=60, steps_per_epoch=100, batch_size=50, grid_every=10,
                steps_per_execution=100),
    "paper": dict(samples=1000, epochs=200, steps_per_epoch=600, batch_size=100, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    sizes = dict(latent_dim=2, hidden=(s.hidden, s.hidden))
    with run.strategy.scope():
        naive = PriorSampledModel(mlp_decoder(**sizes), samples=s.samples, seed=s.seed)
        vae = VAE(*mlp_networks(**sizes, heads=("mean", "log_variance")), seed=s.seed)
        for model in (naive, vae):
            run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    run.fit(vae, stream, manifold, part="vae")
    run.fit(naive, stream, manifold)

    known, images = (part.arrays(s.seed, binarize) for part in (data.train, data.test))
    with run.evaluation(naive) as metrics:
        for prefix, model in (("", naive), ("vae_", vae)):
            run.say(f"NLL of {len(images)} test images by a grid of {s.side**2} latents")
            nll = -latent_grid_mixture(model, s.side).log_prob(images)
            metrics |= nll_summary({"nll": nll}, prefix)
            sizes = importance_weighted_nll(model, images, s.samples, seed=s.seed)
            metrics[f"{prefix}effective_sample_size"] = np.median(sizes["effective_sample_size"])
        run.say(f"fitting mixtures of {s.templates} Bernoulli distributions")
        mixture = BernoulliMixture.of_best_size(known, map(int, s.templates.split()), s.seed)
        metrics["nll_mixture"] = -mixture.log_prob(images).mean()
        sizes = [logs["effective_sample_size"] for logs in run.state.logs]
        lines = {f"{s.samples} latents of the prior": (range(1, len(sizes) + 1), sizes)}
        run.draw("effective_sample_size", line_plot(lines, "epoch", "effective sample size"))
        run.draw("vae_manifold", manifold(vae))
    run.export(naive)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
