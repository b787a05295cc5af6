# %% [markdown]
# # 16. Evaluation: what a number sees, and what it misses
#
# Every chapter reports numbers: nats, kernel distances, precision and recall, accuracies. This
# chapter asks what each of them can detect. We construct "models" with known faults, and check
# which measures find these faults.
#
# After this chapter, you can explain why good likelihoods and good samples are different
# properties, test whether two sets come from the same distribution, find copies of training images,
# and state how certain a comparison is. [Chapter 10](10_gans_that_draw.md) derives the Fréchet and
# the kernel distance; [chapter 3](03_latent_variables.md) derives bounds on likelihoods. Read this
# chapter after both.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, with fewer images.

# %%
import os

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import logsumexp
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from keras_gen.data import small_images
from keras_gen.metrics import (
    best_parzen_std,
    gradient_histograms,
    inception_score,
    kernel_distance,
    memorization,
    nearest_neighbors,
    parzen_log_likelihood,
    prdc,
)
from keras_gen.workshop.baselines.mixtures import BernoulliMixture, mixture_samples
from keras_gen.workshop.visualize import captioned, new_figure, show

QUICK = bool(os.environ.get("QUICK"))
TRAIN = 300 if QUICK else 10_000  # maximum number of training digits
N = 60 if QUICK else 1_000  # digits in each evaluated set
SIZES = (5, 10) if QUICK else (100, 400)  # numbers of templates in two mixtures
CLUSTERS = 3 if QUICK else 100  # for the Gaussian mixture
EPOCHS = 2 if QUICK else 10  # for the classifier
REPEATS = 3 if QUICK else 10  # pairs of test sets that define a standard deviation
DRAWS = 2_000 if QUICK else 200_000  # random numbers for checks of formulas

random = np.random.default_rng(0)

# %% [markdown]
# The data are digits. For likelihoods, digits are binarized: each pixel is white with its gray
# value as the probability. When we evaluate samples, digits stay gray.

# %%
data = small_images("mnist", labels=True, first=TRAIN)
print(data.warning or "the digits of MNIST")
train, train_labels = data.train.take(TRAIN).arrays()
test, test_labels = data.test.take(4 * N).arrays()


def binary(images):
    """Returns images whose pixels are 1 with the gray value as the probability."""
    return (random.uniform(size=images.shape) * 255 < images).astype("float32")


known, asked = binary(train), binary(test)

# %% [markdown]
# ## 1. Good likelihoods and good samples are different properties
#
# Take any model $p$, and mix it with noise $r$: $q = 0.01\, p + 0.99\, r$. Then 99% of the samples
# from $q$ are noise. But $q(x) \geq 0.01\, p(x)$, so
#
# $$-\log q(x) \leq -\log p(x) + \log 100,$$
#
# and $\log 100$ is 4.6 nats, however many pixels an image has (Theis et al. 2016). The reverse is
# also possible. Let a model choose a *training* digit, and flip each of its pixels with a small
# probability $\epsilon$. The samples look perfect, but a test digit differs from every training
# digit in dozens of pixels, each of which costs $\log \frac{1 - \epsilon}{\epsilon}$ nats. We
# compare both models with a mixture of Bernoulli templates and with coin flips.

# %%
smaller, larger = (BernoulliMixture(known, size, iterations=15) for size in SIZES)
EPSILON = 1e-3
pixels = known[0].size


def memory(images):
    """Returns log probabilities of a training digit with random flips."""
    flat, of = images.reshape(len(images), -1), known.reshape(len(known), -1)
    flips = flat.sum(axis=1, keepdims=True) + of.sum(axis=1) - 2 * flat @ of.T
    log_each = flips * np.log(EPSILON) + (pixels - flips) * np.log1p(-EPSILON)
    return logsumexp(log_each, axis=1) - np.log(len(known))


coins = -pixels * np.log(2)
mixture = larger.log_prob(asked)
noisy = np.logaddexp(np.log(0.01) + mixture, np.log(0.99) + coins)
nats = {"mixture": mixture, "1% mixture, 99% noise": noisy, "memory": memory(asked)}
for name, log_prob in nats.items():
    print(f"{name:22} {-log_prob.mean():7.1f} nats per test digit")
print(f"{'coin flips':22} {-coins:7.1f} nats per test digit")
print(f"largest loss by the noise: {np.max(mixture - noisy):.4f}, log 100 = {np.log(100):.4f}")


# %%
def drawn_mixture(n):
    which = random.choice(len(larger.weights), n, p=larger.weights / larger.weights.sum())
    return 255 * (random.uniform(size=(n, pixels)) < larger.probabilities[which])


def as_images(values):
    return np.reshape(values, (-1, *test.shape[1:])).astype("uint8")


flips = random.uniform(size=(10, *test.shape[1:])) < EPSILON
flipped = np.abs(known[random.choice(len(known), 10)] - flips)
noise = 255 * random.integers(0, 2, (10, pixels))
strips = {
    "mixture": as_images(drawn_mixture(10)),
    "1% mixture, 99% noise": as_images(
        np.where(random.uniform(size=(10, 1)) < 0.01, drawn_mixture(10), noise)
    ),
    "memory": as_images(255 * flipped),
}
show(captioned(strips.values(), list(strips)), "models", "Ten samples of each of three models.")

# %% [markdown]
# The second model generates almost nothing but noise, yet its likelihood is close to the mixture's.
# The third model generates real digits, but has by far the worst likelihood of the three. **Neither
# property implies the other**, so report both.
#
# A likelihood also needs a unit. $-\log p$ in nats, divided by $D \log 2$ for $D$ values, is **bits
# per dimension**, and values are comparable only for the same data: the same size, the same number
# of levels, and the same preprocessing. A *density* of gray levels without added noise can be
# increased without limit by placing peaks at the levels ([chapter 8](08_flows.md)).
#
# ## 2. A likelihood from samples?
#
# For a model that can only be sampled, early papers fitted a **Parzen density** to samples: the
# mean of normal densities $N(s_i, h^2 I)$ around them, with $h$ chosen on held-out data. Does the
# result measure the model's likelihood? We estimate it for three sets: training digits, which are
# perfect samples; the centers of k-means; and samples from a Gaussian mixture.


# %%
def scaled(images):
    """Returns rows of gray values from 0 to 1."""
    return images.reshape(len(images), -1) / 255.0


centers = MiniBatchKMeans(N, n_init=1, random_state=0).fit(scaled(train)).cluster_centers_
made = mixture_samples(train, N, CLUSTERS)
for name, some in {
    "training digits": train[:N],
    "centers of k-means": as_images(255 * centers),
    "Gaussian mixture": made,
}.items():
    std = best_parzen_std(some, test[:N])
    estimate = parzen_log_likelihood(some, test[N : 2 * N], std).mean()
    print(f"{name:20} h = {std:.2f}, {estimate:6.1f} nats")

# %% [markdown]
# Perfect samples do *not* have the best estimate. Cluster centers, which are blurred digits, have a
# better one, because a blurred digit is close to many test digits. In 784 dimensions, a thousand
# samples are far too few for a density, so the estimate measures how well $N$ points cover the data
# as *codes*, not how likely the data are under the model. We report it only for comparison with
# papers that used it.
#
# ## 3. Can a classifier tell the sets apart?
#
# Train a classifier to distinguish samples from test images. If it cannot, the sets do not differ
# in any way that this classifier can detect. For equal class sizes, the best possible accuracy has
# a simple interpretation: the classifier that predicts "real" where $p > q$ is right with
# probability
#
# $$\frac12 \int \max(p, q)\, dx = \frac12 + \frac12 \mathrm{TV}(p, q), \qquad
# \mathrm{TV}(p, q) = \frac12 \int |p - q|\, dx.$$
#
# So an accuracy above one half is a *lower bound on the total variation*, and a GAN's discriminator
# computes the same kind of bound ([chapter 9](09_gans.md)). For $N(0, 1)$ and $N(\mu, 1)$, the best
# threshold is $\mu / 2$, and the accuracy is $\Phi(\mu / 2)$.
#
# On images, we report the **AUC**, the probability that the classifier gives a higher score to a
# random sample than to a random real image; it needs no threshold. If the two distributions are
# equal, the mean of the AUC is 1/2, and with $n$ images in each set, its variance is $(2n + 1) /
# (12 n^2)$. So each AUC leads to two different questions. How far is it from 1/2? This is the size
# of the **effect**. And by how many standard errors does it differ from 1/2? This is the
# **certainty** that there is any effect at all.

# %%
for mu in (0.1, 1.0, 3.0):
    right = np.mean(random.normal(size=DRAWS) < mu / 2)
    right = (right + np.mean(random.normal(mu, size=DRAWS) > mu / 2)) / 2
    print(f"mean {mu}: accuracy {right:.3f}, formula {norm.cdf(mu / 2):.3f}")


def told_apart(a, b):
    """Returns the AUC of a linear classifier on halves of both sets that it was not fitted to."""
    half = len(a) // 2
    x = np.concatenate([a[:half], b[:half]])
    y = np.repeat([0, 1], half)
    classifier = LogisticRegression(C=0.01, max_iter=200).fit(x, y)
    scores = [classifier.decision_function(part[half:]) for part in (a, b)]
    return roc_auc_score(np.repeat([0, 1], [len(s) for s in scores]), np.concatenate(scores))


def chance_error(n):
    """Returns the standard deviation of the AUC of two equal distributions, n examples of each."""
    return np.sqrt((2 * n + 1) / (12 * n**2))


other = test[2 * N : 3 * N]
error = chance_error(N - N // 2)
for name, some in {"other test digits": other, "Gaussian mixture": made}.items():
    auc = told_apart(scaled(test[:N]), scaled(some))
    print(f"{name:17} AUC {auc:.3f}, {(auc - 0.5) / error:+.1f} standard errors from 0.5")

# %% [markdown]
# The printed lines answer both questions. For the mixture, the effect is small: a linear classifier
# on pixels puts few pairs of a sample and a digit into the right order beyond the half that it gets
# right by chance, although anyone who looks at the next picture can do much better. But with this
# many images, there is no doubt that the effect exists. A small AUC does not show that samples are
# good: the bound is only as good as the classifier.
#
# ## 4. Eight faults, nine measures
#
# ![Four measures and their inputs. The log-likelihood needs the model's density and test images. A kernel distance, precision, and recall need features of samples and of test images. A classifier that distinguishes both needs the images. The search for copies needs samples and training images.](diagrams/16_measures.svg)
#
# *Inputs of the measures in this chapter. A likelihood needs the model's density; the other measures need only samples.*
#
# We now make sets with one fault each; each row of the plot shows one measure. A measure is useful
# only relative to its own chance variation, so each value is shown as its distance, in **standard
# deviations**, from the measure's mean over random pairs of sets of *real* digits. For the AUC, we
# use the mean and the standard deviation of section 3. The features are pixels, histograms of
# gradients, or the hidden layer of a classifier that was trained on training digits.
#
# The **Inception score** (Salimans et al. 2016) uses only a classifier's probabilities $p(y \mid
# x)$ for samples $x$. Let $\bar p(y)$ be their mean over all $n$ samples. The score is
#
# $$\mathrm{IS} = \exp \Big( \frac{1}{n} \sum_{i=1}^n \mathrm{KL}\big(p(y \mid x_i) \,\|\,
# \bar p(y)\big) \Big).$$
#
# It is 1 if all samples get the same probabilities, and equals the number of classes if every
# sample is classified with certainty and all classes are equally frequent. It never looks at real
# images. The original score uses the Inception network; we use the classifier of digits.

# %%
classifier = MLPClassifier((100,), random_state=0)
for _ in range(EPOCHS):
    classifier.partial_fit(scaled(train), train_labels, classes=np.arange(10))


def hidden(images):
    return np.maximum(scaled(images) @ classifier.coefs_[0] + classifier.intercepts_[0], 0)


print(f"test accuracy of the classifier: {classifier.score(scaled(test), test_labels):.3f}")
reference = test[:N]
FEATURES = {
    "pixels": scaled,
    "gradients": gradient_histograms,
    "classifier": hidden,
}
NEAR = train[: 2 * N]  # to which distances are measured


def measures(real, images):
    """Returns all measures of a set of images, compared with a set of real digits."""
    found = {}
    for name, extract in FEATURES.items():
        a, b = extract(real), extract(images)
        found[f"kernel distance, {name}"] = kernel_distance(a, b, subset_size=len(a))[0]
        if name == "gradients":
            found |= {key: prdc(a, b)[key] for key in ("precision", "recall", "coverage")}
    answers = classifier.predict_proba(scaled(images))
    found["Inception score"] = inception_score(answers, splits=1)[0]
    found["AUC, real or not"] = told_apart(scaled(real), scaled(images))
    found["distance to training"] = np.median(nearest_neighbors(images, NEAR)[0])
    return found


fresh = test[N : 2 * N]
few = test[N:][test_labels[N:] != 9][:N]
sets = {
    "other test digits": other,
    "blurred": gaussian_filter(fresh, (0, 0.7, 0.7, 0)),
    "noise, 20 levels": np.clip(fresh + random.normal(0, 20, fresh.shape), 0, 255).astype(
        "uint8"
    ),
    "moved by a pixel": np.roll(fresh, 1, axis=2),
    "no nines": few,
    "a tenth is one image": np.where(
        (np.arange(N) % 10 == 0)[:, None, None, None], fresh[:1], fresh
    ),
    "one in 50 is noise": np.where(
        (np.arange(N) % 50 == 0)[:, None, None, None],
        random.integers(0, 256, fresh.shape).astype("uint8"),
        fresh,
    ),
    "copies of training": NEAR[:N],
    "Gaussian mixture": made,
}
show(
    captioned([some[:12] for some in sets.values()], list(sets)),
    "sets",
    "The first digits of the nine sets.",
)

# %%
chance = []
pool = np.concatenate([test, train[2 * N :]])
for _ in range(REPEATS):
    order = random.permutation(len(pool))
    chance.append(list(measures(pool[order[:N]], pool[order[N : 2 * N]]).values()))
usual, spread = np.mean(chance, axis=0), np.std(chance, axis=0, ddof=1) + 1e-9
table = {name: measures(reference, some) for name, some in sets.items()}
values = np.array([list(row.values()) for row in table.values()]).T
names = list(table["other test digits"])
known = names.index("AUC, real or not")  # the only measure whose chance variation is a formula
usual[known], spread[known] = 0.5, chance_error(N - N // 2)
deviations = (values - usual[:, None]) / spread[:, None]

drawn = new_figure(10, 6)
axes = drawn.subplots()
axes.imshow(np.clip(np.abs(deviations), 0, 20), cmap="Blues", aspect="auto")
for row, column in np.ndindex(deviations.shape):
    number = deviations[row, column]
    text = f"{number:+.0f}" if abs(number) < 1000 else f"{number:+.0e}".replace("e+0", "e")
    dark = abs(number) > 12
    axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
axes.set_xticks(range(len(sets)), list(sets), rotation=30, ha="right")
axes.set_yticks(range(len(names)), names)
show(
    drawn,
    "faults",
    "Nine sets (columns) by nine measures (rows), in standard deviations from real digits.",
)

# %%
limits = np.full(len(names), student.ppf(0.9995, REPEATS - 1) * np.sqrt(1 + 1 / REPEATS))
limits[known] = norm.ppf(0.9995)
print(
    f"sets that a measure detects, by more than {limits[0]:.1f} standard deviations"
    f" (AUC: {limits[known]:.1f}):"
)
for name, row, limit in zip(names, deviations, limits, strict=True):
    found = [one for one, number in zip(sets, row, strict=True) if abs(number) > limit]
    print(f"  {name:27} {'; '.join(found) or 'none'}")
shown = ["no nines", "one in 50 is noise", "Gaussian mixture"]
print()
print(f"{'values of the measures':27} {'real digits':>20} " + "".join(f"{s:>20}" for s in shown))
for row, name in enumerate(names):
    real = f"{usual[row]:.4g} ± {spread[row]:.2g}"
    print(f"{name:27} {real:>20} " + "".join(f"{table[s][name]:20.4g}" for s in shown))

# %% [markdown]
# Read the plot by columns. Except for the AUC, the standard deviations come from only ten pairs of
# sets, so values follow a wider distribution than the normal one (Student's $t$), and differences
# of 3 or 4 still occur by chance. The limits in the printed list are exceeded by chance about once
# in 1,000 tries. The AUC has a lower limit, because its standard deviation is exact.
#
# The plot shows *certainty*, not the size of the effect. With more images, every standard deviation
# shrinks, and any difference becomes certain. The values at the end of the output show the effects:
# precision, for example, changes by only a few percentage points in some sets.
#
# - **Other test digits** and **copies of training digits** cannot be told apart by any measure that
#   compares two sets. Only the distance to the training digits detects copies.
# - **Blur** and **noise** look minor but are large faults in histograms of gradients, which respond
#   to edges. In these features, both faults are larger than a missing class.
# - A **shift by one pixel** is hardly visible, but is one of the largest faults in pixels and
#   gradients. So measures on these features penalize harmless changes.
# - **Missing nines** barely change the kernel distances: the other nine digits are right, and nines
#   resemble fours and sevens. Recall should detect a missing class, but it does not: a real digit
#   counts as recalled if it is in a ball around *any* sample, and balls around fours and sevens
#   contain most nines. Coverage turns this around. It asks whether the ball around a real digit
#   contains a sample. These balls are small where real digits are dense, so coverage detects the
#   fault. The Inception score also falls, because fewer classes are left.
# - The **repeated image** is in a dense region, so it passes precision and coverage, which check
#   whether balls are empty, not how many samples they contain. Kernel distances depend on this
#   number.
# - In one set, **one sample in 50 is pure noise**, which a visitor would notice at once. The effect
#   on every measure is small, because a mean over a set barely depends on 2% of the set. Only the
#   Inception score exceeds the limit, and barely. Precision does not, although it is meant to
#   measure quality: it can fall by at most 2 percentage points, which is little more than its usual
#   variation. Recall and coverage cannot, because the other samples are unchanged.
# - The **Gaussian mixture** matches the precision of real digits, and on pixels, its AUC shows a
#   small but certain effect. In gradient histograms, the distance is large *and* certain, and
#   recall falls to a fraction of its usual value.
#
# **No measure finds every fault, and no fault is found by every measure.** So this library reports
# several measures: distances in at least two types of features, one measure of quality and one of
# coverage, and the distance to the training set. And every measure is reported next to its value
# for real images and for a simple model.
#
# ## 5. Finding copies
#
# A distance between sets cannot detect copies, because copies *are* real images. The distance from
# each sample to its nearest training image can. There are two different questions:
#
# - **Is this sample a copy?** It is a copy if its distance to the nearest training image is far
#   below the distance to the second-nearest one (Yoon et al. 2023: less than a third).
# - **Are the samples closer to the training images than new images are?** Compare the distances of
#   samples with the distances of *held-out* images (Meehan et al. 2020). If samples are closer, the
#   AUC of the distance is below one half.
#
# We replace a fraction of the new digits with training digits, either unchanged or moved by one
# pixel.

# %%
fractions = (0.0, 0.01, 0.1, 0.5) if QUICK else (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
print(f"standard error of an AUC without copies: {chance_error(N):.3f}")
print("copied   exact: found, AUC   moved by a pixel: found, AUC   in features: AUC")
curves = {"exact": [], "moved": [], "moved, in features": []}
usual_pixels = nearest_neighbors(test[:N], NEAR)[0][:, 0]
near_features = gradient_histograms(NEAR)
usual_features = nearest_neighbors(gradient_histograms(test[:N]), near_features)[0][:, 0]


def closer(distances, usual):
    """Returns the AUC: the probability that a sample is farther from training than a new digit."""
    both = np.concatenate([usual, distances])
    return roc_auc_score(np.repeat([0, 1], [len(usual), len(distances)]), both)


for fraction in fractions:
    which = (np.arange(N) < round(fraction * N))[:, None, None, None]
    exact = np.where(which, NEAR[:N], other)
    moved = np.where(which, np.roll(NEAR[:N], 1, axis=2), other)
    row = {
        "exact": closer(nearest_neighbors(exact, NEAR)[0][:, 0], usual_pixels),
        "moved": closer(nearest_neighbors(moved, NEAR)[0][:, 0], usual_pixels),
        "moved, in features": closer(
            nearest_neighbors(gradient_histograms(moved), near_features)[0][:, 0], usual_features
        ),
    }
    for name, auc in row.items():
        curves[name].append(auc)
    found = [memorization(some, NEAR)["memorized_fraction"] for some in (exact, moved)]
    print(
        f"{fraction:6.0%} {found[0]:14.1%} {row['exact']:6.3f} {found[1]:20.1%}"
        f" {row['moved']:8.3f} {row['moved, in features']:16.3f}"
    )
drawn = new_figure(6, 3.6)
axes = drawn.subplots()
for name, aucs in curves.items():
    axes.plot(fractions, aucs, marker="o", label=name)
axes.axhline(0.5, color="gray", linestyle="--")
axes.set(xlabel="fraction of copies", ylabel="AUC of the distance")
axes.legend()
show(
    drawn, "copies", "Below 0.5, samples are closer to the training digits than new digits are."
)

# %% [markdown]
# The ratio of distances finds every exact copy but no copy that is shifted by one pixel. Shifted
# copies have a small effect on the AUC of the pixel distance, even if *all* samples are copies; in
# that case, the effect is certain, because it is several standard errors, but it does not look
# alarming. In the space of gradient histograms, shifted copies are close to their originals, and
# the effect is large. So search in a feature space that ignores the changes that a copy may have
# undergone. If fewer than about a tenth of the samples are copies, the AUC is within the range of
# chance, whereas a search for individual copies can find a single one.
#
# Held-out images are essential here. New digits are close to training digits too, so a small
# distance alone proves nothing.
#
# ## 6. How certain is a comparison?
#
# **Test examples.** A mean over $n$ test examples has a standard error of $s / \sqrt n$. When two
# models are compared on the *same* examples, the difference is a mean of paired differences, with
# the variance $s_1^2 + s_2^2 - 2 \rho s_1 s_2$ per example. Hard digits are hard for both models,
# so the correlation $\rho$ is high, and the difference is known far more precisely than either
# value.

# %%
a, b = -smaller.log_prob(asked), -larger.log_prob(asked)
rho = np.corrcoef(a, b)[0, 1]
root = np.sqrt(len(a))
print(f"{SIZES[0]} templates: {a.mean():.1f} ± {a.std(ddof=1) / root:.1f} nats")
print(f"{SIZES[1]} templates: {b.mean():.1f} ± {b.std(ddof=1) / root:.1f} nats")
print(
    f"difference:    {(a - b).mean():.1f} ± {(a - b).std(ddof=1) / root:.1f}, correlation {rho:.3f}"
)
formula = np.sqrt(a.var() + b.var() - 2 * rho * a.std() * b.std())
print(
    f"by the formula ± {formula / root:.1f}, without pairs ± {np.hypot(a.std(), b.std()) / root:.1f}"
)

# %%
drawn = new_figure(9, 3.4)
left, right = drawn.subplots(1, 2)
left.scatter(a, b, s=3, linewidths=0)
left.axline((a.mean(), a.mean()), slope=1, color="gray", linestyle="--")
left.set(xlabel=f"{SIZES[0]} templates, nats", ylabel=f"{SIZES[1]} templates, nats")
bins = np.linspace(-80, 80, 80)
right.hist(a - a.mean(), bins, histtype="step", label="one model")
right.hist(a - b - (a - b).mean(), bins, histtype="step", label="difference")
right.set(xlabel="nats, minus the mean", ylabel="test digits")
right.legend(loc="upper left")
show(
    drawn,
    "paired",
    "Hard digits are hard for both models (left), so differences vary less than values (right).",
)

# %% [markdown]
# **Seeds.** Another seed gives another model. The standard error over test examples does not
# include this variation, so train several times. And if you report the best of $k$ runs *on the
# test set*, the reported number is too good: the expected maximum of $k$ independent normal
# variables is 0.56, 1.16, and 1.54 standard deviations for 2, 5, and 10 runs. Choose the run on
# validation data, and report its test value.
#
# **Judges.** To support a claim about visual quality, show pairs of samples to people who do not
# know which model generated which sample. If the two models are equally good, the number of votes
# for one of them is binomial with probability one half. With 20 pairs, model A gets 14 or more
# votes by chance in 5.8% of experiments. If either model may turn out to be better, both ends
# count: one of the models gets 15 or more votes by chance in 4.1%, and 14 or more in 11.5%.

# %%
for k in (2, 5, 10):
    best = random.normal(size=(DRAWS // 10, k)).max(axis=1).mean()
    print(f"best of {k:2} runs: {best:+.2f} standard deviations")
votes = random.binomial(20, 0.5, DRAWS)
for least in (13, 14, 15, 16):
    one, either = (np.mean(won >= least) for won in (votes, np.maximum(votes, 20 - votes)))
    print(f"{least} or more of 20 votes by chance: {one:.3f} for A, {either:.3f} for A or B")

# %% [markdown]
# ## 7. Common claims, and what is true
#
# - **"A lower NLL means better samples."** In section 1, replacing 99% of the samples with noise
#   costs at most 4.6 nats. Across *similar* models, likelihoods and samples often improve together,
#   but this must be shown.
# - **"The Parzen estimate measures the likelihood."** Blurred cluster centers have a better
#   estimate than perfect samples.
# - **"An FID of 0 means that the model is perfect."** Copies have a distance of about 0, and so do
#   negative images in features that ignore the sign ([chapter 10](10_gans_that_draw.md)).
# - **"The difference is highly significant, so it is large."** Certainty grows with the number of
#   images; the effect does not. Report both (section 4).
# - **"Precision 1 means that all samples are good."** It means that they are in balls around real
#   images. The radius of these balls depends on the number of images and on outliers among them.
# - **"The classifier cannot tell them apart, so the distributions agree."** *This* classifier
#   cannot.
# - **"Model A is better: 86.9 nats, compared with 87.1."** Without the standard error of the paired
#   difference, and without other seeds, we cannot know.
#
# ## Questions
#
# **1.** On average, the log-likelihood of test images is 2 nats higher under model A than under
# model B. Both means have a standard error of 3 nats over 1,000 test images. Can we still be
# certain that A is better?
#
# <details markdown="1"><summary>Answer</summary>
#
# Yes. If A is better by about 2 nats on *each* image, the differences barely vary, and their mean
# has a tiny standard error. The standard errors of 3 nats describe how much the images vary in
# difficulty, and this variation affects both models equally. Whether the training run is
# representative is a different question, which only other seeds can answer.
#
# </details>
#
# **2.** A classifier distinguishes samples from test images with an accuracy of 0.95. What follows
# for the total variation, and what does not follow for the quality of the samples?
#
# <details markdown="1"><summary>Answer</summary>
#
# The total variation is at least $2 \cdot 0.95 - 1 = 0.9$. It does not follow that the samples look
# bad: adding a tiny number to one pixel of each sample suffices to separate the sets perfectly.
# Total variation ignores how large the differences between images are.
#
# </details>
#
# **3.** Change the code: choose the $\epsilon$ of the "memory" in section 1 on held-out digits.
# What happens to the model's likelihood and to its samples?
#
# <details markdown="1"><summary>Answer</summary>
#
# The best $\epsilon$ is close to the fraction of pixels in which a new digit differs from its
# nearest training digits, which is several percent. The likelihood improves by more than 100 nats,
# and the samples become training digits with visible salt-and-pepper noise. Choosing $\epsilon$ by
# likelihood makes the samples worse, as section 1 predicts.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | Parzen estimates | `GAN` | [gan_mnist](../../recipes/gan_mnist.py) | 161.0 nats, paper 225; Gaussian mixture 262.4 | [Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661) |
# | distances in two types of features | `GAN` | [dcgan_fashion_mnist](../../recipes/dcgan_fashion_mnist.py) | kernel distance 0.008699; Gaussian mixture 0.1370 | [Radford et al. 2016](https://arxiv.org/abs/1511.06434) |
# | modes covered, and samples near a mode | `PacGAN` | [gan_modes](../../recipes/gan_modes.py) | 24.0 of 25 modes; 0.1032 of the samples near a mode, Gaussian mixture 0.9916 | [Lin et al. 2018](https://arxiv.org/abs/1712.04086) |
# | the two-sample test for tables | `MADE` | [table_models_adult](../../recipes/table_models_adult.py) | 19.468 nats; Bayesian network 19.65 | [Germain et al. 2015](https://arxiv.org/abs/1502.03509) |
