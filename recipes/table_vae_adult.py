"""Tabular VAE on Adult.

Nazábal, Olmos, Ghahramani, Valera: "Handling Incomplete Heterogeneous Data using VAEs", Pattern
Recognition 107, 2020, with a prior fitted to the latents after Ghosh, Sajjadi, Vergari, Black,
Schölkopf: "From Variational to Deterministic Autoencoders", ICLR 2020, sec. 4.

  python recipes/table_vae_adult.py                  about 5 minutes on one of two CPU cores
  python recipes/table_vae_adult.py --preset smoke   under a minute

Expected result of the cpu preset: 19.8 nats per row (Bayesian network of columns: 19.7; tabular
MADE: 19.5), and a total variation distance of 0.045 for pairs of columns (mixture of 80 products:
0.040).

Each value is a cell: a word, a distinct number, or one of 64 quantile intervals. The VAE is trained
on 20,000 people, first with a standard normal prior. Then a mixture of 20 normal distributions is
fitted to the latents of the training rows. The VAE is trained with this prior, which is then fitted
again. Samples and likelihoods use the fitted prior. The likelihood is a bound with 16 latent
samples.

The baselines are independent columns; the Chow-Liu tree, which is fitted in 0.1 seconds; a Bayesian
network with up to four parents per column, fitted in less than a minute; and a mixture of 80
products of categorical distributions, fitted by EM in seconds. Real rows show the best possible
result, because two samples of real people also differ. To generate rows, use `MADE.for_table`; see
`table_models_adult`.

Data: adult through tensorflow-datasets (from adult.zip, which you download yourself; the error
message explains how).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.tables import People, labeled_people, report_on_rows

import dataclasses
from functools import partial

from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from keras_gen import VAE
from keras_gen.core.schedules import Linear
from keras_gen.data import Source


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    rows: int = 20_000  # Number of training rows; the other rows are used to detect copying
    latent_dim: int = 16  # Number of latent dimensions
    hidden: int = 192  # Units in each of the two hidden layers of the encoder and decoder
    normals: int = 20  # Number of normal distributions in the fitted prior
    learning_rate: float = 2e-3  # Adam's learning rate; cosine decay to 0
    warmup: int = 400
    """Number of steps during which the KL weight rises to 1 in the first phase."""
    prior_epochs: int = 4
    """Number of epochs in the second phase, with the fitted prior and half the learning rate."""
    components: int = 80  # Number of product distributions in the baseline mixture


PRESETS = {
    "smoke": dict(rows=200, hidden=32, normals=3, warmup=10, prior_epochs=1, components=3,
                  epochs=2, steps_per_epoch=20, batch_size=32, steps_per_execution=10),
    "cpu": dict(epochs=8, steps_per_epoch=500, batch_size=256, steps_per_execution=100),
    "paper": dict(hidden=256, prior_epochs=50, epochs=100, steps_per_epoch=500,
                  batch_size=256, steps_per_execution=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    people = labeled_people(run, s.rows, s.seed)

    with run.strategy.scope():
        sizes = dict(latent_dim=s.latent_dim, hidden=(s.hidden, s.hidden), components=s.normals)
        beta = Linear(0.0, 1.0, s.warmup)
        model = VAE.for_table(people.columns, **sizes, beta=beta, seed=s.seed)
        run.compile(model, Adam(CosineDecay(s.learning_rate, s.epochs * s.steps_per_epoch)))

    # Each step: one gradient update on the negative ELBO of the cells.
    cells = Source(model.prepare(people.train).numpy())
    stream = partial(cells.stream, s.batch_size, s.seed)
    run.fit(model, stream, partial(People.draw, people, seed=s.seed))
    # Fit the prior, because the latents of the training rows are not standard normal.
    model.fit_prior(people.train, s.seed)

    with run.strategy.scope():
        steps = s.prior_epochs * s.steps_per_epoch
        run.compile(model, Adam(CosineDecay(s.learning_rate / 2, steps)))
    run.fit(model, stream, part="fitted prior", epochs=s.prior_epochs)
    model.fit_prior(people.train, s.seed)
    run.export(model, default="encode")

    with run.evaluation(model) as metrics:
        metrics |= report_on_rows(model, people, s.components, s.seed)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
