"""A network that predicts a target of each example, with a discriminator's help or without."""

from functools import partial

from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.losses import adversarial
from keras_gen.training import GenerativeModel, Player, minimize, require_built, require_logits


class AdversarialPredictor(GenerativeModel):
    """Base of models that predict a known target, and should make it look real too.

    The networks that predict minimize an error and, where there is a discriminator, an adversarial
    loss. A method says what is predicted and what that costs (`generator_terms`) and which networks
    predict (`predictors`); and where it is more than the image alone, what the discriminator sees
    (`shown`). `evaluate` computes the same terms.

    Deviation from algorithm 1 of GANs: the predicting networks are updated before the
    discriminator, which then sees what they predicted before their update. That saves a pass.

    Args:
        discriminator: Predictions or targets to logits; None: the error alone is minimized.
        objective: Adversarial objective, a name or an object.
        seed: Seed of all randomness in the steps.
        **kwargs: `name` and the like, of `keras.Model`.
    """

    def __init__(self, discriminator, objective, seed: int = 0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if discriminator is not None:
            require_built(discriminator)
            require_logits(discriminator)
        self.discriminator = discriminator
        self.objective = adversarial.get(objective)

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

    def generator_terms(self, batch: dict, training: bool = True) -> tuple:
        """Returns the terms of the predicting networks' loss, `[batch]` each, and predictions."""
        raise NotImplementedError(f"{type(self).__name__} does not say what is predicted.")

    def target(self, batch: dict):
        """Returns what should be predicted of a batch."""
        return batch["y"]

    def shown(self, images, batch: dict):
        """Returns the discriminator's input for predictions or targets of a batch."""
        return images

    def discriminate(self, images, batch: dict, training: bool = True):
        """Returns the discriminator's logits of predictions or targets of a batch."""
        return self.discriminator(self.shown(images, batch), training=training)

    # Training --------------------------------------------------------------------------------

    @override
    def train_step(self, data):
        """Updates the networks that predict, then the discriminator on what they predicted."""
        batch = self.prepare_batch(data)

        def generator_loss():
            terms, predicted = self.generator_terms(batch)
            return self.weighted(terms), terms, predicted

        networks = self.networks_of("g_optimizer")
        g_loss, terms, predicted = minimize(generator_loss, self.g_optimizer, *networks)
        losses = {"g_loss": g_loss}
        if self.discriminator:

            def discriminator_loss():
                return self.discriminator_loss(batch, predicted)

            networks = self.networks_of("d_optimizer")
            losses["d_loss"] = minimize(discriminator_loss, self.d_optimizer, *networks)
        return self.report(terms, **losses)

    @override
    def test_step(self, data):
        batch = self.prepare_batch(data)
        terms, predicted = self.generator_terms(batch, training=False)
        losses = {"g_loss": self.weighted(terms, training=False)}
        if self.discriminator:
            losses["d_loss"] = self.discriminator_loss(batch, predicted, training=False)
        return self.report(terms, training=False, **losses)

    def adversarial_loss(self, predicted, batch: dict, training: bool = True):
        """Returns the predicting networks' part of the adversarial objective, `[batch]`."""
        return self.objective.generator(self.discriminate(predicted, batch, training))

    def discriminator_loss(self, batch: dict, predicted, training: bool = True):
        """Returns the discriminator's part of the adversarial objective, `[batch]`."""
        real_logits = self.discriminate(self.target(batch), batch, training)
        fake_logits = self.discriminate(predicted, batch, training)
        return self.objective.discriminator(real_logits, fake_logits)
