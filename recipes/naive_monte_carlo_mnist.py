"""Naive Monte Carlo training of a decoder on MNIST, compared with a VAE.

Doersch: "Tutorial on Variational Autoencoders", arXiv 1606.05908, 2016, sec. 2.

  python recipes/naive_monte_carlo_mnist.py                 about 4 minutes on two CPU cores
  python recipes/naive_monte_carlo_mnist.py --preset smoke  under a minute

Expected result of the cpu preset: a test NLL of 146.8 nats (VAE: 145.1; Bernoulli mixture: 123.9;
boosted trees: 92.0). The median effective sample size of 50 latents is 1.0 when sampled from the
prior and 17 when sampled from the VAE's encoder.

According to the tutorial, log p(x) could be estimated with latents sampled from the prior, but
p(x|z) is close to 0 for most of these latents. Both models have the same decoder with only two
latents, for which samples from the prior are most likely to be useful. Both are trained for the
same number of steps on the same batches. In each step, the naive model decodes 50 latents per
digit, and the VAE decodes one latent. The effective sample size measures how many of the 50 latents
contribute; `effective_sample_size.png` shows it by epoch. The size decreases as the decoder becomes
sharper, because with a better decoder, fewer pairs of latents and digits contribute to training.

For both models, the NLL is computed exactly, up to discretization, as a sum over a grid of the two
latents, which needs no encoder. The tutorial reports no metrics; the networks are the same as in
`vae_mnist`, except for the latents.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import binary_baselines

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import binarize, small_images
from keras_gen.metrics import importance_weighted_nll, latent_grid, nll_summary
from keras_gen.networks import mlp_decoder, mlp_networks
from keras_gen.vae import VAE, PriorSampledModel
from keras_gen.workshop.baselines import BernoulliMixture
from keras_gen.workshop.visualize import line_plot, manifold


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    samples: int = 50  # Number of prior samples decoded per digit
    hidden: int = 200  # Units in each of the two hidden layers of the encoder and decoder
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    side: int = 300  # Number of grid points per axis, from -4.5 to 4.5
    templates: str = "300 1000"
    """Candidate numbers of components in the Bernoulli mixture, a baseline; the best number is
    chosen on held-out training digits."""
    boosted: int = 800_000  # Number of pixels used to train the boosted trees, a baseline


PRESETS = {
    "smoke": dict(hidden=32, samples=10, epochs=2, steps_per_epoch=20, batch_size=20, side=20,
                  templates="5 10", boosted=1000),
    "cpu": dict(epochs=60, steps_per_epoch=100, batch_size=50, grid_every=10,
                steps_per_execution=100),
    "paper": dict(samples=1000, epochs=200, steps_per_epoch=600, batch_size=100,
                  grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    train = data.train.arrays(s.seed, binarize)
    test = data.test.arrays(s.seed, binarize)

    sizes = dict(latent_dim=2, hidden=(s.hidden, s.hidden))
    with run.strategy.scope():
        decoder = mlp_decoder(**sizes)
        naive = PriorSampledModel(decoder, samples=s.samples, seed=s.seed)
        encoder, decoder = mlp_networks(**sizes, heads=("mean", "log_variance"))
        vae = VAE(encoder, decoder, seed=s.seed)
        run.compile(naive, Adam(run.in_halves(s.learning_rate)))
        run.compile(vae, Adam(run.in_halves(s.learning_rate)))

    # Each step: one update of the decoder and, if there is one, of the encoder.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment_batch=binarize)
    run.fit(vae, stream, manifold, part="vae")
    run.fit(naive, stream, manifold)
    run.export(naive)

    baselines = binary_baselines(run, train, test)

    with run.evaluation(naive) as metrics:
        for prefix, model in (("", naive), ("vae_", vae)):
            run.say(
                f"computing the NLL of {len(test)} test images with a grid of {s.side**2} latents"
            )
            grid_mixture = BernoulliMixture.of(*latent_grid(model, s.side))
            nll = -grid_mixture.log_prob(test)
            metrics |= nll_summary({"nll": nll}, prefix)
            nats = importance_weighted_nll(model, test, s.samples, seed=s.seed)
            effective = np.median(nats["effective_sample_size"])
            metrics[f"{prefix}effective_sample_size"] = effective
        metrics |= baselines
        epochs, sample_sizes = run.logged("effective_sample_size")
        if epochs:
            lines = {f"{s.samples} latents from the prior": (epochs, sample_sizes)}
            run.draw("effective_sample_size", line_plot(lines, "epoch", "effective sample size"))
        run.draw("vae_manifold", manifold(vae))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
