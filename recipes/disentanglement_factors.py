"""Six ways to disentangle latents, by five scores, on drawn shapes of known factors.

Burgess, Higgins, Pal, Matthey, Watters, Desjardins, Lerchner: "Understanding disentangling in
beta-VAE", 2018, whose VAE of annealed capacity is exported; beside it a VAE, the beta-VAE (Higgins
et al. 2017), the FactorVAE (Kim, Mnih 2018), the beta-TCVAE (Chen et al. 2018) and the DIP-VAE-II
(Kumar et al. 2018), all of one network and number of steps; and the encoder untrained, and PCA.
The scores are MIG, SAP, DCI's disentanglement, and the beta-VAE's and the FactorVAE's own. Seeds
differ by as much as methods do (Locatello et al. 2019), so run several.

Deviations: the shapes are not those of dSprites, nor are scores on them. Codes are the means of all
combinations, all trained on. The FactorVAE's discriminator needs as many images again in a step.
Layers are dense as in Chen et al., whose decoder has one more, and tanh in place of ReLU. Images of
the cpu preset have a quarter of the pixels, and so fewer nats to weigh against the KL divergence:
weights are lower, chosen by the scores of other seeds than the published.

  python recipes/disentanglement_factors.py  # 6 minutes on one of two CPU cores
  python recipes/disentanglement_factors.py --preset smoke  # about a minute

Data: shapes drawn at run time.
"""

import dataclasses
from functools import partial

import keras
import numpy as np

from keras_gen.baselines import PrincipalComponents
from keras_gen.data import Sets, Shapes, Split
from keras_gen.metrics import (
    beta_vae_score,
    dci_scores,
    factor_vae_score,
    mutual_information_gap,
    sap_score,
)
from keras_gen.networks import mlp_encoder, mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training.schedules import Linear
from keras_gen.vae import DIPVAE, VAE, BetaTCVAE, CapacityVAE, FactorVAE
from keras_gen.visualize import traversals


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    size: int = 64  # Side of the images in pixels
    scales: int = 6  # Values of the factor scale
    orientations: int = 40  # Values of the factor orientation
    positions: int = 32  # Values of x, and of y
    turn: float = 1.0  # Range of the orientations in full turns
    latent_dim: int = 10  # Dimensions of the latents, and number of principal components
    hidden: int = 1200  # Units of each of the two hidden layers of encoder and decoder
    discriminator: int = 1000  # Units of each of six layers of the FactorVAE's discriminator
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    beta: float = 4.0  # Weight of the KL divergence in the beta-VAE
    capacity: float = 25.0  # Nats that the capacity grows to, in two thirds of the steps
    capacity_weight: float = 1000.0  # Gamma of the annealed capacity
    factor_weight: float = 35.0  # Gamma of the FactorVAE
    tc_weight: float = 6.0  # Beta of the beta-TCVAE
    rows: int = 10_000  # Combinations that MIG, SAP and DCI look at


PRESETS = {
    "smoke": dict(size=32, scales=2, orientations=4, positions=6, turn=0.25, hidden=32,
                  latent_dim=4, discriminator=16, epochs=2, steps_per_epoch=20, batch_size=32,
                  rows=800),
    "cpu": dict(size=32, scales=4, orientations=8, positions=16, turn=0.25, hidden=256,
                discriminator=200, epochs=20, steps_per_epoch=1000, batch_size=64, grid_every=5,
                beta=2.0, capacity=12.0, capacity_weight=100.0, factor_weight=6.0, tc_weight=3.0,
                rows=5000, steps_per_execution=100),
    "paper": dict(epochs=50, steps_per_epoch=360, batch_size=2048, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    shapes = Shapes(s.size, s.scales, s.orientations, s.positions, s.turn)
    grid = shapes.source()
    run.load(Sets(shapes=Split(grid, grid), only=("train_shapes",)))
    images = grid.arrays()
    growing = Linear(0.0, s.capacity, steps=-(-2 * s.epochs * s.steps_per_epoch // 3))
    sizes = (s.size, s.size, 1), s.latent_dim, (s.hidden, s.hidden)
    networks = partial(mlp_networks, *sizes, "relu", heads=("mean", "log_variance"))
    with run.strategy.scope():
        layers = dict(hidden=(s.discriminator,) * 6, activation="leaky_relu", name="discriminator")
        discriminator = mlp_encoder((s.latent_dim,), latent_dim=1, **layers)
        methods = {
            "capacity": partial(CapacityVAE, capacity=growing, gamma=s.capacity_weight),
            "vae": VAE,
            "beta": partial(VAE, beta=s.beta),
            "tc": partial(BetaTCVAE, dataset_size=len(images), beta=s.tc_weight),
            "factor": partial(FactorVAE, discriminator=discriminator, gamma=s.factor_weight),
            "dip": partial(DIPVAE, type="II"),
        }
        models = {name: method(*networks(), seed=s.seed) for name, method in methods.items()}
        for model in models.values():
            run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))
        coders = models | {"untrained": VAE(*networks(), seed=s.seed)}
    for name in list(methods)[1:]:
        size = s.batch_size * (2 if name == "factor" else 1)
        run.fit(models[name], partial(grid.stream, size, s.seed), part=name)
    middle = shapes.render(np.array([shapes.factors.sizes]) // 2)
    run.fit(models["capacity"], grid, lambda model: traversals(model, middle))

    with run.evaluation(models["capacity"]) as metrics:
        for name, coder in (coders | {"pca": PrincipalComponents(images, s.latent_dim)}).items():
            run.say(f"scoring {name}")
            codes = coder.encode(images)[0] if name != "pca" else coder.encode(images)
            found = scores(shapes.factors, codes, s, least_std=0.05 * (name in models))
            metrics |= {f"{score}_{name}": value for score, value in found.items()}
            if name in models:
                metrics[f"elbo_{name}"] = coder.log_prob(images[:: -(-len(images) // 2000)]).mean()
    run.export(models["capacity"])


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
