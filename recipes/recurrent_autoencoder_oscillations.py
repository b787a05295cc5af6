"""Recurrent autoencoder on noisy oscillations.

Srivastava, Mansimov, Salakhutdinov: "Unsupervised Learning of Video Representations using LSTMs",
ICML 2015, sec. 2.1. One LSTM reads a series, and another generates it in reverse order.

  python recipes/recurrent_autoencoder_oscillations.py              about 5 minutes on two CPU cores
  python recipes/recurrent_autoencoder_oscillations.py --preset smoke under a minute

Expected result of the cpu preset: an error of 0.25 with 4-dimensional codes (fitted sinusoid: 0.22;
dense autoencoder: 0.26; nearest series: 0.41; principal components: 0.72).

Each series has its own frequency and phase, so two numbers describe everything except the noise. A
4-dimensional code can represent a circle (the phase) and an interval (the frequency).
Reconstructions are compared with the noise-free series, which are not used in training. The error
is given in standard deviations of the noise, so the error of the measurements is 1. For unbiased
estimates of two numbers from 64 measurements, the error is at least sqrt(2 / 64) = 0.18, the
Cramér-Rao bound.

The baselines are a dense autoencoder with the same code size, principal components, the mean of the
nearest training series, and a sinusoid fitted to each series by least squares, whose frequency is
the best of a grid. The number of components is the code size or the best number on held-out series;
the number of nearest series is the best number on held-out series. Selection uses noisy held-out
series, because clean series would not be available in practice. Only the sinusoid uses the form of
the series.

Data: series generated at run time. The paper does not use them.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses

import numpy as np
from keras.optimizers import Adam
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Oscillations, Sets, Source, Split
from keras_gen.networks import recurrent_decoder, recurrent_encoder
from keras_gen.workshop.visualize import line_plot

SWINGS = Oscillations()
# With the same seed, these series are the same, but almost without noise.
CLEAN_SWINGS = Oscillations(noise=1e-6)
SHAPE = (SWINGS.steps, 2)
COMPONENTS = (2, 4, 8, 16, 32)  # numbers of principal components to try
NEIGHBORS = (1, 3, 10, 30)  # numbers of neighbors to try
FREQUENCIES = 400  # number of frequencies of sinusoids to try


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    series: int = 50_000  # Number of training series
    compared: int = 2000
    """Number of test series, and number of series held out to choose the baselines' settings."""
    latent_dim: int = 4  # Number of code dimensions
    units: int = 64  # Units in each LSTM
    hidden: int = 128  # Units in each of the two hidden layers of the dense networks
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half


PRESETS = {
    "smoke": dict(series=500, compared=50, units=4, hidden=8, epochs=2, steps_per_epoch=10,
                  batch_size=20, steps_per_execution=5),
    "cpu": dict(epochs=20, steps_per_epoch=500, batch_size=100, steps_per_execution=100,
                grid_every=10),
    "paper": dict(series=500_000, units=256, epochs=100, steps_per_epoch=2000, batch_size=100,
                  steps_per_execution=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    train, held_out, test = (
        Source(SWINGS.sample(n, seed), origin=f"oscillations, {n} series, seed {seed}")
        for n, seed in ((s.series, s.seed), (s.compared, s.seed + 2), (s.compared, s.seed + 1))
    )
    run.load(Sets(oscillations=Split(train, test)), whole=True)

    with run.strategy.scope():
        model = Autoencoder(
            recurrent_encoder(SHAPE, s.latent_dim, s.units),
            recurrent_decoder(SHAPE, s.latent_dim, s.units),
            Autoencoder.options_of_vectors["likelihood"],
            seed=s.seed,
            standardize=True,
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate), global_clipnorm=1.0))
        hidden = (s.hidden, s.hidden)
        dense = Autoencoder.for_vectors(SHAPE, s.latent_dim, hidden, seed=s.seed)
        run.compile(dense, Adam(run.in_halves(s.learning_rate)))

    def draw(model):
        shown = test.arrays()[:1]
        lines = {
            "measured": shown,
            "without noise": CLEAN_SWINGS.sample(s.compared, s.seed + 1)[:1],
            "LSTM autoencoder": model.reconstruct(shown),
        }
        times = np.arange(SWINGS.steps) / SWINGS.steps
        positions = {name: (times, series[0, :, 0]) for name, series in lines.items()}
        return line_plot(positions, "time (seconds)", "position (millimeters)")

    # Each step: one joint update of the encoder and the decoder.
    run.fit(dense, train, part="dense")
    run.fit(model, train, draw)
    run.export(model)

    run.say("fitting principal components and searching for nearest neighbors")
    scaler = StandardScaler().fit(flat(train.arrays()))
    standardized = (scaler.transform(flat(part.arrays())) for part in (train, held_out, test))
    others = baselines(*standardized, s.latent_dim)
    others["sinusoid"] = sinusoids(scaler.transform(flat(test.arrays())), scaler.scale_)
    with run.evaluation(model) as metrics:
        measured = test.arrays()
        clean = CLEAN_SWINGS.sample(s.compared, s.seed + 1)
        found = {
            "model": model.reconstruct(measured),
            "dense": dense.reconstruct(measured),
            "measured": measured,
        }
        for name, series in others.items():
            found[name] = scaler.inverse_transform(series).reshape(measured.shape)
        noise = (measured - clean).std(axis=(0, 1))
        for name, series in found.items():
            squares = np.square((series - clean) / noise).mean(axis=(1, 2))
            metrics[f"error_{name}"] = np.sqrt(squares.mean())


def baselines(train, held_out, test, latent_dim):
    """Returns the outputs of methods without a network for the test series, by name."""
    several = [PCA(count).fit(train) for count in COMPONENTS]
    by_components = {
        "few_components": PCA(latent_dim).fit(train),
        "components": max(several, key=lambda pca: pca.score(held_out)),
    }
    found = {}
    for name, pca in by_components.items():
        found[name] = pca.inverse_transform(pca.transform(test))
    means = [KNeighborsRegressor(count).fit(train, train) for count in NEIGHBORS]
    nearest = max(means, key=lambda mean: mean.score(held_out, held_out))
    found["neighbors"] = nearest.predict(test)
    return found


def sinusoids(standardized, scale):
    """Returns the sinusoid nearest to each series, with its derivative as the speed.

    Args:
        standardized: Flat series, each number divided by its scale.
        scale: Scales of the numbers of a flat series.
    """
    times = np.arange(SWINGS.steps) / SWINGS.steps
    fits = []
    for frequency in np.linspace(*SWINGS.frequencies, FREQUENCIES):
        speed = 2 * np.pi * frequency
        waves = [np.exp(1j * speed * times), 1j * speed * np.exp(1j * speed * times)]
        wave = np.stack(waves, axis=-1).ravel() / scale
        basis = np.stack([wave.real, wave.imag])
        fits.append(standardized @ np.linalg.pinv(basis) @ basis)
    errors = [np.square(fit - standardized).sum(axis=1) for fit in fits]
    return np.stack(fits)[np.argmin(errors, axis=0), np.arange(len(standardized))]


def flat(series):
    """Returns series as rows of numbers."""
    return series.reshape(len(series), -1).astype(np.float64)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
