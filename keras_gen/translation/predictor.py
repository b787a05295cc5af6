"""Networks that predict a known target, and a discriminator that may help them look real."""

from functools import partial

import keras
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.core import GenerativeModel, Player, require_built, require_logits
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial_objective import Objective


class AdversarialPredictor(GenerativeModel):
    """Base of models that predict a known target, with a discriminator or without.

    Args:
        discriminator: Predictions or targets to logits; None: the error alone is minimized.
        objective: Adversarial objective, a name or an object.
        seed: Seed of all randomness in the steps.
        **kwargs: `name` and the like, of `keras.Model`.
    """

    def __init__(
        self, discriminator: keras.Model, objective: Objective | str, seed: int = 0, **kwargs
    ):
        super().__init__(seed=seed, **kwargs)
        if discriminator is not None:
            require_built(discriminator)
            require_logits(discriminator)
        self.discriminator = discriminator
        self.objective = adversarial.get_of_fakes(objective)

    @property
    @override
    def totals(self):  # type: ignore[override]
        return ("g_loss", "d_loss") if self.discriminator else ("g_loss",)

    def predictors(self) -> Player:
        """Returns the networks that predict, and their default optimizer."""
        raise NotImplementedError(f"{type(self).__name__} does not say which networks predict.")

    @override
    def players(self):
        players = {"g_optimizer": self.predictors()}
        if self.discriminator:
            adam = partial(Adam, 2e-4, beta_1=0.5)
            players["d_optimizer"] = Player([self.discriminator], adam)
        return players
