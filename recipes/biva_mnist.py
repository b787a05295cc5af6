"""BIVA on binarized MNIST: layers of latents, beside a VAE of as many parameters.

Maaløe, Fraccaro, Liévin, Winther: "BIVA: A Very Deep Hierarchy of Latent Variables for Generative
Modeling", NeurIPS 2019. Their BIVA of 6 layers reaches a test NLL of 78.41 nats on dynamically
binarized MNIST by 1,000 importance samples, with residual convolutions and days on GPUs. Here the
networks are dense and residual, of half a million weights in 3 layers. The VAE has one layer of
latents, and is trained alike: as many steps on the same batches, with the same rates and warm-up.

Every variable has free bits, as many as in the paper at first and none at the end, in place of the
paper's fine-tuning without. The sample grid shows a test digit a row: the digit, its
reconstruction, and what becomes of it when the latents of 1, 2 and 3 layers are drawn anew.

A second BIVA is trained on Fashion-MNIST and tells its test images from digits by the bound L^{>k},
for which the k lower layers are drawn from the prior, and by the ratio of the ELBO to it, LLR^{>k}.
Beside them stand the distance of the nearest training image and the size of a PNG file.

  python recipes/biva_mnist.py                    about 13 minutes on two CPU cores
  python recipes/biva_mnist.py --preset smoke     under a minute

Data: mnist and fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import keras
import numpy as np

from keras_gen.baselines import compressed_bits
from keras_gen.data import Sets, binarize, small_images
from keras_gen.metrics import auroc, importance_weighted_nll, nearest_neighbors, nll_summary
from keras_gen.networks import biva_networks, mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training.schedules import Linear
from keras_gen.vae import BIVA, VAE
from keras_gen.visualize import redrawn, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    layers: int = 3  # Layers of latents
    latent_dim: int = 8  # Dimensions of the top layer; those below have 2, 3, ... times as many
    units: int = 125  # Units of BIVA's hidden layers
    vae_latent_dim: int = 50  # Dimensions of the VAE's latents
    vae_hidden: int = 232  # Units of each of the VAE's four hidden layers
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    warm_up: float = 0.2  # Fraction of the steps in which the weight of the divergence rises to 1
    free_bits: float = 2.0  # Nats of each variable, in the first half of the steps; then to zero
    nll_samples: int = 1000  # Importance samples of the test NLL: 1,000 in the paper
    fashion_epochs: int = 10  # Epochs of the BIVA of clothes


PRESETS = {
    "smoke": dict(latent_dim=2, units=16, vae_latent_dim=4, vae_hidden=19, epochs=2,
                  fashion_epochs=1, steps_per_epoch=10, batch_size=20, nll_samples=4),
    "cpu": dict(epochs=40, steps_per_epoch=600, batch_size=100, grid_every=5,
                steps_per_execution=100),
    "paper": dict(layers=6, units=512, vae_hidden=1999, epochs=1000, steps_per_epoch=600,
                  batch_size=100, grid_every=50, fashion_epochs=300),
}  # fmt: skip

NEIGHBORS = 10_000  # training clothes of which the nearest is looked for


def main(run: Run, s: Settings):
    data = run.load(Sets(mnist=small_images("mnist"), fashion=small_images("fashion_mnist")))
    digits, clothes = (
        partial(source.stream, s.batch_size, s.seed, augment_batch=binarize)
        for source in (data.train_mnist, data.train_fashion)
    )
    test_digits, test_clothes = (
        source.arrays(s.seed, binarize) for source in (data.test_mnist, data.test_fashion)
    )
    model = biva(run, s, s.epochs)
    run.fit(model, digits, lambda model: redrawn(model, test_digits[:8], s.seed))
    sizes = dict(latent_dim=s.vae_latent_dim, hidden=(s.vae_hidden, s.vae_hidden))
    with run.strategy.scope():
        networks = mlp_networks(**sizes, heads=("mean", "log_variance"))
        vae = VAE(*networks, beta=warm_up(s, s.epochs), seed=s.seed)
        run.compile(vae, keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    run.fit(vae, digits, part="vae")
    of_clothes = biva(run, s, s.fashion_epochs)
    run.fit(of_clothes, clothes, part="fashion", epochs=s.fashion_epochs)

    with run.evaluation(model) as metrics:
        for prefix, each in (("", model), ("vae_", vae)):
            run.say(f"NLL of {len(test_digits)} test images by {s.nll_samples} samples of each")
            found = importance_weighted_nll(each, test_digits, s.nll_samples, seed=s.seed)
            metrics |= nll_summary(found, prefix)
            metrics[f"{prefix}parameters"] = sum(n.count_params() for n in each.networks.values())
        both = np.concatenate([test_clothes, test_digits])
        is_digit = np.arange(len(both)) >= len(test_clothes)
        bounds = [of_clothes.log_prob_above(both, layers) for layers in range(s.layers)]
        for layers, bound in enumerate(bounds):
            metrics[f"auroc_above_{layers}"] = auroc(-bound, is_digit)
            if layers:
                metrics[f"auroc_ratio_{layers}"] = auroc(bounds[0] - bound, is_digit)
        known = data.train_fashion.take(NEIGHBORS).arrays(s.seed, binarize)
        metrics["auroc_neighbor"] = auroc(nearest_neighbors(both, known)[0][:, 0], is_digit)
        bits, usual = (compressed_bits((255 * x).astype("uint8")) for x in (both, known))
        metrics["auroc_png"] = auroc(np.abs(bits - usual.mean()), is_digit)
        metrics |= model.evaluate(test_digits, batch_size=100, return_dict=True, verbose=0)
        run.draw("samples", samples(model, seed=s.seed))
    run.export(model, default="sample")


def biva(run, s, epochs):
    """A compiled BIVA for so many epochs."""
    dims = [s.latent_dim * n for n in range(s.layers, 0, -1)]
    steps = epochs * s.steps_per_epoch
    free_bits = Linear(s.free_bits, 0.0, steps=steps - steps // 2, delay=steps // 2)
    with run.strategy.scope():
        networks = biva_networks((28, 28, 1), dims, s.units)
        model = BIVA(**networks, beta=warm_up(s, epochs), free_bits=free_bits, seed=s.seed)
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate, epochs)))
    return model


def warm_up(s, epochs):
    """The weight of the divergence."""
    return Linear(0.0, 1.0, steps=max(1, round(s.warm_up * epochs * s.steps_per_epoch)))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
