"""Fair representations on Adult: predict income but not sex.

Edwards, Storkey: "Censoring Representations with an Adversary", ICLR 2016; Raff, Sylvester:
"Gradient Reversal against Discrimination", DSAA 2018; Louizos, Swersky, Li, Welling, Zemel: "The
Variational Fair Autoencoder", ICLR 2016.

  python recipes/blind_representations_adult.py                 about 7 minutes on two CPU cores
  python recipes/blind_representations_adult.py --preset smoke  under a minute

Expected result of the cpu preset: with an adversary of weight 1, the AUC for sex is 0.62 (reweighed
score: 0.65; without an adversary: 0.79) at an income accuracy of 0.851 (reweighed score: 0.845;
without an adversary: 0.854). With weight 2, the AUC is 0.58 at an accuracy of 0.846. A repaired
score of boosted trees beats both, with an AUC of 0.56 at an accuracy of 0.855, except in its odds
gap.

An adversary (ALFR), gradient reversal (GRAD), and a VAE that receives the attribute (VFAE) each
encode a person's 14 columns in two features. The features are evaluated as a client would receive
them, without training noise. Two freshly trained probes, logistic regression and gradient-boosted
trees, predict sex from the features. The metric is the larger of their AUCs (0.5 is chance); the
adversary's own estimate is not used. The cost of fairness is also reported: the accuracy of the
predicted income, and the gaps between decisions for the two sexes, because features that hide sex
do not imply equal odds. ALFR is trained with several adversary weights.

Baselines: a linear classifier without the sex column, a linear classifier after linear erasure of
sex from all columns (LEACE), and a linear classifier on examples reweighed so that sex and income
are independent. For the reweighed classifier, probes see a single feature: its score. Another
baseline, evaluated in the same way, is boosted trees whose scores are mapped, within each sex, to
the quantiles of a common distribution; these trees require the sex at prediction time.

Weights, steps, and the number of features were chosen on 6,000 held-out training examples, in
trials with seed 0.

Deviations: see each model. In addition, Adam uses cosine decay.

Data: adult through tensorflow-datasets (from adult.zip, which you download yourself; the error
message gives the details).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import partial

import keras
import numpy as np
from keras.optimizers import Adam
from sklearn.linear_model import LogisticRegression

from keras_gen.data import people_table
from keras_gen.fairness import ALFR, GRAD, VFAE
from keras_gen.losses import UnboundedNormal
from keras_gen.metrics import attribute_leak, decision_gaps, mean_and_deviation
from keras_gen.workshop.baselines import LinearErasure, RepairedScores, reweighing
from keras_gen.workshop.visualize import code_scatter, line_plot

WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)  # weights of ALFR's adversary
REPAIRED = 0.9  # strength of the repair toward one score distribution, chosen on held-out people
SHOWN = 2000  # people per image


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    seeds: int = 5  # Number of seeds for weights and data order, starting at --seed
    features: int = 2  # Number of learned features per person
    hidden: int = 64  # Units in each hidden layer
    learning_rate: float = 1e-3  # Adam's learning rate; cosine decay to 0
    weight: float = 1.0  # Weight of the adversary in the exported model
    discriminator_steps: int = 10  # Number of adversary updates per encoder update in ALFR
    alpha: float = 200.0  # Weight alpha of the income cross-entropy in the VFAE
    beta: float = 1000.0  # Weight beta of the maximum mean discrepancy in the VFAE


PRESETS = {
    "smoke": dict(seeds=1, hidden=8, discriminator_steps=2, epochs=2, steps_per_epoch=20,
                  batch_size=32, steps_per_execution=10),
    "cpu": dict(epochs=6, steps_per_epoch=1000, batch_size=256, steps_per_execution=100),
    "paper": dict(features=50, hidden=100, epochs=50, steps_per_epoch=1000, batch_size=256,
                  steps_per_execution=100, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(people_table())
    vectors, _, sexes = data.test.arrays()

    with run.strategy.scope():
        model = alfr(s, data.columns, s.seed, s.weight)
        run.compile(model, optimizer=Adam(rate(s)), d_optimizer=Adam(s.learning_rate))

    def draw(model):
        seen = model.features(vectors[:SHOWN])[:, :2]
        return code_scatter({"two features": seen}, sexes[:SHOWN], data.values)

    # Each step: one update of the encoder and the classifier, then several updates of the
    # adversary.
    run.fit(model, data.train, draw)
    run.export(model, default="features")

    ways = {"plain": plain, "grad": grad, "vfae": vfae}
    ways |= {f"alfr_{weight:g}": partial(alfr, weight=weight) for weight in WEIGHTS}
    found = {}
    for name, build in ways.items():
        measure = partial(measured, s, data, build)
        found[name] = run.each_seed(f"{name}, seed {{}}", measure, s.seeds)

    with run.evaluation(model) as metrics:
        exported = model.features(data.train.arrays()[0]), model.features(vectors)
        metrics |= suffixed(report(data, *exported, model.classify(vectors)), "_exported")
        for name, of_seeds in found.items():
            metrics |= mean_and_deviation(of_seeds, f"{{}}_{name}")
        for name, of_baseline in baselines(data).items():
            metrics |= suffixed(of_baseline, f"_{name}")
        names = ["plain", *(f"alfr_{weight:g}" for weight in WEIGHTS)]
        lines = {
            "ALFR, by adversary weight": names,
            "GRAD": ["grad"],
            "VFAE": ["vfae"],
            "reweighed score": ["reweighed"],
            "repaired score of boosted trees": ["repaired"],
            "without the sex column": ["dropped"],
            "linear erasure": ["erased"],
        }
        points = {
            line: ([metrics[f"auc_{n}"] for n in of], [metrics[f"accuracy_{n}"] for n in of])
            for line, of in lines.items()
        }
        axes = "AUC of the stronger probe for sex (0.5: chance)", "accuracy of predicted income"
        run.draw("trade_off", line_plot(points, *axes))


def rate(s):
    return keras.optimizers.schedules.CosineDecay(s.learning_rate, s.epochs * s.steps_per_epoch)


def blind(cls, s, columns, seed, **options):
    """Returns a model with initial weights from the seed, like the functions below."""
    keras.utils.set_random_seed(seed)
    sizes = dict(features=s.features, hidden=(s.hidden,), discriminator_hidden=(s.hidden,) * 2)
    return cls.for_table(columns, **sizes, **options, seed=seed)


def alfr(s, columns, seed, weight):
    steps = s.discriminator_steps
    return blind(ALFR, s, columns, seed, weight=weight, discriminator_steps=steps)


def grad(s, columns, seed):
    return blind(GRAD, s, columns, seed, weight=1.0)


def plain(s, columns, seed):
    """Returns a model whose encoder ignores its adversary."""
    return blind(GRAD, s, columns, seed, weight=0.0)


def vfae(s, columns, seed):
    keras.utils.set_random_seed(seed)
    sizes = dict(latent_dim=s.features, hidden=(s.hidden,))
    weights = dict(alpha=s.alpha, beta=s.beta)
    likelihood = UnboundedNormal(scale=1.0)
    return VFAE.for_table(columns, **sizes, **weights, likelihood=likelihood, seed=seed)


def measured(s, data, build, seed):
    """Returns the report on a model that is trained with the seed."""
    model = build(s, data.columns, seed)
    optimizers = {"optimizer": Adam(rate(s))}
    if isinstance(model, ALFR):
        optimizers["d_optimizer"] = Adam(s.learning_rate)
    model.compile(**optimizers, steps_per_execution=s.steps_per_execution)
    steps = s.epochs * s.steps_per_epoch
    model.fit(data.train.stream(s.batch_size, seed), steps_per_epoch=steps, verbose=0)
    vectors, _, sexes = data.train.arrays()
    test_vectors, _, test_sexes = data.test.arrays()
    if isinstance(model, VFAE):
        codes, _ = model.encode(vectors, sexes)
        test_codes, _ = model.encode(test_vectors, test_sexes)
        logits = model.classify(test_vectors, test_sexes)
    else:
        codes = model.features(vectors)
        test_codes = model.features(test_vectors)
        logits = model.classify(test_vectors)
    return report(data, codes, test_codes, logits)


def report(data, codes, test_codes, logits):
    """Returns the AUC for sex from codes, and the accuracy and the gaps of decisions."""
    _, _, sexes = data.train.arrays()
    _, test_labels, test_sexes = data.test.arrays()
    leaks = attribute_leak(codes, sexes, test_codes, test_sexes)
    return leaks | decision_gaps(logits.argmax(axis=1), test_labels, test_sexes)


def baselines(data):
    """Returns the reports on inexpensive classifiers by name."""
    vectors, labels, sexes = data.train.arrays()
    test_vectors, _, _ = data.test.arrays()
    others = np.repeat(
        [column.name != data.attribute for column in data.columns],
        [column.width for column in data.columns],
    )
    erased = LinearErasure(vectors, sexes)
    found = {}
    for name, (codes, test_codes) in {
        "dropped": (vectors[:, others], test_vectors[:, others]),
        "erased": (erased(vectors), erased(test_vectors)),
    }.items():
        linear = LogisticRegression(max_iter=1000).fit(codes, labels)
        found[name] = report(data, codes, test_codes, linear.predict_proba(test_codes))
    linear = LogisticRegression(max_iter=1000)
    linear.fit(vectors, labels, reweighing(labels, sexes))
    scores = [linear.decision_function(each)[:, None] for each in (vectors, test_vectors)]
    found["reweighed"] = report(data, *scores, linear.predict_proba(test_vectors))
    _, _, test_sexes = data.test.arrays()
    repaired = RepairedScores(REPAIRED).fit(vectors, labels, sexes)
    scores = [repaired(vectors, sexes)[:, None], repaired(test_vectors, test_sexes)[:, None]]
    found["repaired"] = report(data, *scores, np.hstack([-scores[1], scores[1]]))
    return found


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
