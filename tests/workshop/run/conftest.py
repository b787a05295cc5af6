"""A toy recipe that runs in a second, in the process of the test."""

import contextlib
import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gen.data import Source, Split
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.vae import VAE
from keras_gen.workshop.run import Run, RunSettings, folder
from keras_gen.workshop.run.recipe import one_sentence
from keras_gen.workshop.visualize import samples

SHAPE = (2, 2, 1)
IMAGES = np.random.default_rng(0).integers(0, 256, (12, *SHAPE), "uint8")


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    """Settings of the toy."""

    learning_rate: float = 0.01
    """Adam's rate."""
    ema: float = 0.0
    """Momentum of the weight average."""
    images: Path | None = None
    """A user's own folder."""


PRESETS = {
    "smoke": dict(mixed_precision="none", epochs=3, steps_per_epoch=2, batch_size=4),
    "cpu": dict(mixed_precision="none", epochs=1, steps_per_epoch=1, batch_size=4),
    "paper": dict(epochs=1000),
}


class Toy:
    """The recipe; what its hooks do can be replaced."""

    def __init__(self):
        self.callbacks, self.evaluate, self.eager = (), lambda model: {"score": 0.5}, True
        self.images, self.warning, self.validation = IMAGES, "", {}
        self.before = lambda run, source: None
        self.rate = lambda run: run.settings.learning_rate
        self.needed = {}
        self.run = self.model = None

    def main(self, run):
        source = Source(self.images, origin="toys")
        run.load(Split(source, source.take(4), self.warning), **self.needed)
        self.before(run, source)
        model = self.model = self.build(run)
        run.fit(
            model, source, lambda model: samples(model, 4), callbacks=self.callbacks,
            **self.validation,
        )  # fmt: skip
        self.exported = run.export(model)
        with run.evaluation(model) as metrics:
            metrics |= self.evaluate(model)

    def build(self, run):
        """A model as the recipe trains it."""
        s = run.settings
        with run.strategy.scope():
            encoder = mlp_encoder(SHAPE, latent_dim=1, hidden=(3,), heads=("mean", "log_variance"))
            networks = encoder, mlp_decoder(SHAPE, 1, (3,))
            model = VAE(*networks, seed=s.seed)
            adam = keras.optimizers.Adam(self.rate(run))
            model.compile(run.averaged(adam), run_eagerly=self.eager)
        return model

    def __call__(self, *argv):
        """The exit code: 0, or a number, or the sentence that Python prints."""
        argv = ["--preset", "smoke", *map(str, argv)]
        try:
            with one_sentence():
                self.run = Run("recipes/toy.py", Settings, PRESETS, "A toy.", argv)
                with self.run.telling_the_way_on():
                    self.main(self.run)
        except SystemExit as end:
            return end.code
        return 0

    def fails(self, capsys, *argv):
        """The one line said to stderr by a run that ends with exit code 1."""
        assert self(*argv) == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("error: ")
        return lines[0]


@pytest.fixture
def toy(here, monkeypatch):
    """Its exports hold two signatures, which are a fourth of all and of the time of a run."""
    every = VAE.signatures
    few = lambda model: {name: every(model)[name] for name in ("sample", "decode")}  # noqa: E731
    monkeypatch.setattr(VAE, "signatures", few)
    return Toy()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory; folders that are held are let go afterwards."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for held in list(folder._held):
        with contextlib.suppress(OSError):
            folder.leave_folder(held)
