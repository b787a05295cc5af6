"""Models that predict a known target, optionally with a discriminator."""

from functools import partial

import keras
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.core import GenerativeModel, Player
from keras_gen.declared import Named, made_by, network
from keras_gen.keras_internals import put_first
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import Objective


class AdversarialPredictor(GenerativeModel):
    """Base class for models that predict a known target, with or without a discriminator."""

    discriminator: keras.Model | None = network("seen -> logits", default=None)
    objective: Named[Objective] = made_by(adversarial.get_of_fakes, default="non_saturating")

    @override
    def set_up(self):
        put_first(self, self.discriminator)

    @property
    @override
    def totals(self):  # type: ignore[override]
        return ("g_loss", "d_loss") if self.discriminator else ("g_loss",)

    def predictors(self) -> Player:
        """Returns the networks that predict, and their default optimizer."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define which networks predict: override predictors."
        )

    @override
    def players(self):
        players = {"g_optimizer": self.predictors()}
        if self.discriminator:
            adam = partial(Adam, 2e-4, beta_1=0.5)
            players["d_optimizer"] = Player([self.discriminator], adam)
        return players
