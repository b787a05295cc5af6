"""Two domains without pairs: translations both ways, against a discriminator of each domain."""

from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.bases.edges import Images
from keras_gen.bases.translator import Translator, checked_domains
from keras_gen.losses import adversarial
from keras_gen.training import ImagePool, Player, minimize, require_built, require_logits


class UnpairedTranslator(Translator):
    """Base of models of two domains, X and Y, whose images are no pairs.

    The translating networks are updated first, all together, then both discriminators on images of
    their domain and on translations into it, from a history. A method says what the translating
    networks minimize (`generator_terms`) and which they are (`generators`).

    Args:
        discriminator_x: D_X, images of X to logits of any shape; with a history, of known input
            size.
        discriminator_y: D_Y, likewise.
        objective: Adversarial objective, a name or an object.
        pool_size: Translations in each history (`ImagePool`); 0: each step's own.
        domains: Names of X and Y, which name the directions and the served signatures.
        seed: Seed of all randomness in the steps.
        **kwargs: `name` and the like, of `keras.Model`.

    Raises:
        ValueError: If a discriminator's input size is unknown, or the domains share a name.
    """

    batch = ("x", "y")
    totals = ("g_loss", "d_loss")

    def __init__(
        self, discriminator_x, discriminator_y, objective, pool_size, domains, seed=0, **kwargs
    ):
        super().__init__(seed=seed, **kwargs)
        require_built(discriminator_x, discriminator_y)
        require_logits(discriminator_x, discriminator_y)
        self.discriminator_x = discriminator_x
        self.discriminator_y = discriminator_y
        self.objective = adversarial.get(objective)
        self.pool_size = pool_size
        self.domains = checked_domains(domains)
        self.training_edges["x"] = Images(discriminator_x.input_shape[1:])
        self.training_edges["y"] = Images(discriminator_y.input_shape[1:])
        self.pool_x = ImagePool(pool_size, discriminator_x.input_shape[1:])
        self.pool_y = ImagePool(pool_size, discriminator_y.input_shape[1:])

    def set_directions(self, to_y, to_x) -> None:
        """Sets the networks from images to translations, X to Y and Y to X."""
        x, y = self.domains
        # Not tracked: they are the generators, or made of them.
        self.__dict__["_directions"] = {f"{x}_to_{y}": to_y, f"{y}_to_{x}": to_x}

    @override
    def directions(self) -> dict:
        """Returns both translations by the names of the domains, such as `photo_to_monet`."""
        return self._directions

    def generators(self) -> list:
        """Returns the networks that translate, which are trained together."""
        raise NotImplementedError(f"{type(self).__name__} does not say what translates.")

    def default_optimizer(self):
        """Returns the default optimizer of both players."""
        return Adam(2e-4, beta_1=0.5)

    @override
    def players(self):
        discriminators = [self.discriminator_x, self.discriminator_y]
        return {
            "g_optimizer": Player(self.generators(), self.default_optimizer),
            "d_optimizer": Player(discriminators, self.default_optimizer),
        }

    def generator_terms(self, x, y, training: bool = True) -> tuple:
        """Returns the terms of the translating networks' loss, `[batch]` each, and translations.

        The translations are those into X and into Y.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what is minimized.")

    # Training --------------------------------------------------------------------------------

    @override
    def train_step(self, data):
        """Updates the networks that translate, then D_X and D_Y on histories of translations."""
        batch = self.prepare_batch(data)
        x = batch["x"]
        y = batch["y"]

        def generator_loss():
            terms, fakes = self.generator_terms(x, y)
            return self.weighted(terms), terms, fakes

        networks = self.networks_of("g_optimizer")
        g_loss, terms, (fake_x, fake_y) = minimize(generator_loss, self.g_optimizer, *networks)
        shown_x = self.pool_x(fake_x, seed=self.stateless_seed("pool_x"))
        shown_y = self.pool_y(fake_y, seed=self.stateless_seed("pool_y"))

        def discriminator_loss():
            return self.discriminator_loss(x, y, shown_x, shown_y)

        networks = self.discriminator_x, self.discriminator_y
        d_loss = minimize(discriminator_loss, self.d_optimizer, *networks)
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    @override
    def test_step(self, data):
        """Returns the same losses on held-out images, without the histories."""
        batch = self.prepare_batch(data)
        x = batch["x"]
        y = batch["y"]
        terms, fakes = self.generator_terms(x, y, training=False)
        g_loss = self.weighted(terms, training=False)
        d_loss = self.discriminator_loss(x, y, *fakes, training=False)
        return self.report(terms, training=False, g_loss=g_loss, d_loss=d_loss)

    def adversarial_loss(self, fake_x, fake_y, training: bool = True):
        """Returns the translating networks' part of the objectives, `[batch]`."""
        of_y = self.objective.generator(self.discriminator_y(fake_y, training=training))
        of_x = self.objective.generator(self.discriminator_x(fake_x, training=training))
        return of_y + of_x

    def discriminator_loss(self, x, y, shown_x, shown_y, training: bool = True):
        """Returns the discriminators' part of the objectives, `[batch]`."""
        of_x = self.objective.discriminator(
            self.discriminator_x(x, training=training),
            self.discriminator_x(shown_x, training=training),
        )
        of_y = self.objective.discriminator(
            self.discriminator_y(y, training=training),
            self.discriminator_y(shown_y, training=training),
        )
        return of_x + of_y
