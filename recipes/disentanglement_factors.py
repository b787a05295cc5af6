"""Six ways to disentangle latents, by five scores, on drawn shapes of known factors.

Chen, Li, Grosse, Duvenaud: "Isolating Sources of Disentanglement in Variational Autoencoders",
NeurIPS 2018, whose beta-TCVAE is exported; beside it a VAE, the beta-VAE (Higgins et al. 2017), the
annealed capacity (Burgess et al. 2018), the FactorVAE (Kim, Mnih 2018) and the DIP-VAE-II (Kumar et
al. 2018), all of one network and number of steps; and the encoder untrained, and PCA. The scores
are MIG, SAP, DCI's disentanglement, and the beta-VAE's and the FactorVAE's own. Seeds differ by as
much as methods do (Locatello et al. 2019), so run several.

Deviations: the shapes are not those of dSprites, nor are scores on them. Codes are the means of all
combinations, all trained on. The FactorVAE's discriminator needs as many images again in a step.

  python recipes/disentanglement_factors.py  # about 23 minutes on two CPU cores
  python recipes/disentanglement_factors.py --preset smoke  # about a minute

Data: shapes drawn at run time.
"""

import dataclasses
from functools import partial
from typing import Literal

from keras_gen.data import Sets, Shapes, Split
from keras_gen.metrics import (
    PrincipalComponents,
    beta_vae_score,
    dci_scores,
    factor_vae_score,
    mutual_information_gap,
    sap_score,
)
from keras_gen.networks import conv_decoder, conv_encoder, mlp_encoder
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training.schedules import Linear
from keras_gen.vae import DIPVAE, VAE, BetaTCVAE, CapacityVAE, FactorVAE
from keras_gen.visualize import traversals

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    size: int = 64  # Side of the images in pixels
    scales: int = 6  # Values of the factor scale
    orientations: int = 40  # Values of the factor orientation
    positions: int = 32  # Values of x, and of y
    turn: float = 1.0  # Range of the orientations in full turns
    latent_dim: int = 10  # Dimensions of the latents, and number of principal components
    filters: Literal["32-32-64-64", "16-32-32", "4-4"] = "32-32-64-64"  # Channels of convolutions
    discriminator: int = 1000  # Units of each of six layers of the FactorVAE's discriminator
    learning_rate: float = 1e-4  # Adam's rate
    beta: float = 4.0  # Weight of the KL divergence in the beta-VAE
    capacity: float = 25.0  # Nats that the capacity grows to, in two thirds of the steps
    factor_weight: float = 35.0  # Gamma of the FactorVAE
    tc_weight: float = 6.0  # Beta of the beta-TCVAE
    rows: int = 10_000  # Combinations that MIG, SAP and DCI look at


PRESETS = {
    "smoke": dict(size=32, scales=2, orientations=4, positions=6, turn=0.25, filters="4-4",
                  latent_dim=4, discriminator=16, epochs=2, steps_per_epoch=20, batch_size=32,
                  learning_rate=1e-3, rows=800),
    "cpu": dict(size=32, scales=4, orientations=8, positions=16, turn=0.25, filters="16-32-32",
                discriminator=200, epochs=10, steps_per_epoch=1000, batch_size=64, grid_every=5,
                learning_rate=5e-4, rows=5000, steps_per_execution=100),
    "paper": dict(epochs=300, steps_per_epoch=1000, batch_size=64, grid_every=50),
}  # fmt: skip


def main(run: Run, s: Settings):
    shapes = Shapes(s.size, s.scales, s.orientations, s.positions, s.turn)
    grid = shapes.source()
    run.load(Sets(shapes=Split(grid, grid), only=("train_shapes",)))
    images = grid.arrays()
    growing = Linear(0.0, s.capacity, steps=-(-2 * s.epochs * s.steps_per_epoch // 3))
    with run.strategy.scope():
        layers = dict(hidden=(s.discriminator,) * 6, activation="leaky_relu", name="discriminator")
        discriminator = mlp_encoder((s.latent_dim,), latent_dim=1, **layers)
        methods = {
            "tc": partial(BetaTCVAE, dataset_size=len(images), beta=s.tc_weight),
            "vae": VAE,
            "beta": partial(VAE, beta=s.beta),
            "capacity": partial(CapacityVAE, capacity=growing),
            "factor": partial(FactorVAE, discriminator=discriminator, gamma=s.factor_weight),
            "dip": partial(DIPVAE, type="II"),
        }
        models = {name: method(*networks(s), seed=s.seed) for name, method in methods.items()}
        for model in models.values():
            run.compile(model, keras.optimizers.Adam(s.learning_rate))
        coders = models | {"untrained": VAE(*networks(s), seed=s.seed)}
    for name in list(methods)[1:]:
        size = s.batch_size * (2 if name == "factor" else 1)
        run.fit(models[name], partial(grid.stream, size, s.seed), part=name)
    run.fit(models["tc"], grid, lambda model: traversals(model, images[:1]))

    with run.evaluation(models["tc"]) as metrics:
        for name, coder in (coders | {"pca": PrincipalComponents(images, s.latent_dim)}).items():
            run.say(f"scoring {name}")
            codes = coder.encode(images)[0] if name != "pca" else coder.encode(images)
            found = scores(shapes.factors, codes, s, least_std=0.05 * (name in models))
            metrics |= {f"{score}_{name}": value for score, value in found.items()}
            if name in models:
                metrics[f"elbo_{name}"] = coder.log_prob(images[:: -(-len(images) // 2000)]).mean()
    run.export(models["tc"])


def networks(s):
    """An encoder and a decoder, the same for all methods but for their initial weights."""
    sizes = dict(latent_dim=s.latent_dim, filters=tuple(map(int, s.filters.split("-"))))
    encoder = conv_encoder((s.size, s.size, 1), **sizes, heads=("mean", "log_variance"))
    return encoder, conv_decoder((s.size, s.size, 1), **sizes)


def scores(factors, codes, s, least_std):
    """The five scores of the codes of all combinations, which are in the grid's order."""
    rows = np.random.default_rng(s.seed).permutation(len(codes))[: s.rows]
    some = codes[rows], factors.values(rows)
    grid = factors, lambda values: codes[np.ravel_multi_index(values.T, factors.sizes)]
    return {
        "mig": mutual_information_gap(*some),
        "sap": sap_score(*some),
        "dci": dci_scores(*some, seed=s.seed)["disentanglement"],
        "beta_score": beta_vae_score(*grid, seed=s.seed),
        "factor_score": factor_vae_score(*grid, least_std=least_std, seed=s.seed),
    }


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
