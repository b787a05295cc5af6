# %% [markdown]
# # 12. Adversarial training for other purposes
#
# In [chapter 9](09_gans.md), two networks played a game to generate examples: one minimized the
# value that the other maximized. The same type of game serves other purposes, in which nothing is
# generated:
#
# - **domain adaptation**: features that do not distinguish two domains, so that labels from one
#   domain can be used in the other domain;
# - **blind representations**: features that do not reveal an attribute, such as a person's sex;
# - **robustness**: a classifier that remains correct when an adversary changes its input slightly.
#
# In all three cases, the adversary used in training is rarely the best adversary, and results look
# better than they are if they are tested only against this adversary. So half of this chapter is
# about evaluation. After reading it, you can derive the bound behind domain adaptation, explain
# what aligned or blind features cannot do, compute the worst change of an input for a linear model,
# and evaluate a defense honestly. The first sections use problems so small that the correct answers
# are known.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on less data and with fewer steps.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from scipy.stats import norm

import keras_gen
from keras_gen.adaptation import DANN
from keras_gen.classifiers import Classifier, dense_discriminator
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Labels, Vectors
from keras_gen.core.schedules import Linear, Sigmoid
from keras_gen.data import Source, rare_color, small_images
from keras_gen.fairness import ALFR
from keras_gen.layers import reverse_gradient
from keras_gen.losses.classification import label_cross_entropy
from keras_gen.metrics import attribute_leak
from keras_gen.networks import mlp_encoder
from keras_gen.robustness import (
    APGD,
    FGSM,
    PGD,
    AdversarialTraining,
    SquareAttack,
    robust_accuracy,
)
from keras_gen.workshop.baselines import LinearErasure, coral_accuracy, thresholded
from keras_gen.workshop.visualize import captioned, new_figure, show

QUICK = bool(os.environ.get("QUICK"))
POINTS = 500 if QUICK else 20_000  # per domain, and for the Gaussian problem
STEPS = 2 if QUICK else 1500  # for each model of points
PER_CALL = 1 if QUICK else 50  # steps per TensorFlow call
WEIGHTS = (1.0,) if QUICK else (0.0, 0.3, 1.0, 3.0, 10.0)  # weights of the reversed gradient
DIGITS = 500 if QUICK else 20_000  # maximum number of training digits
TESTED = 300 if QUICK else 5_000  # digits whose color is predicted
DIGIT_STEPS = 2 if QUICK else 1200  # for each model of digits
ATTACKED = 10 if QUICK else 100  # number of digits to attack
QUERIES = 300  # queries of the gradient-free attack

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. Two domains
#
# We have labeled examples from one domain, the **source**, and unlabeled examples from another, the
# **target**. The target is the domain of interest. Think of digits on white paper and digits on
# photographs.
#
# Here is a problem with two features. The label is $y = \pm 1$, both equally likely. The first
# feature is $1.5 y$ plus normal noise with standard deviation 1, in both domains. The second is
# $2.5 y$ plus noise in the source, where it is the more informative feature. In the target, the
# second feature is 1.5 plus noise, independent of the label.

# %%
FIRST, SECOND = 1.5, 2.5  # how far the features move with the label, in the source
SHIFT = 1.5  # mean of the second feature in the target


def draw_points(domain, fraction, number=POINTS):
    """Samples points `[n, 2]` and labels 0 and 1, with the given fraction of 1."""
    labels = (random.random(number) < fraction).astype("int64")
    signs = 2 * labels - 1
    second = SECOND * signs if domain == "source" else np.full(number, SHIFT)
    points = np.stack([FIRST * signs, second], axis=1) + random.normal(size=(number, 2))
    return points.astype("float32"), labels


source_x, source_labels = draw_points("source", 0.5)
target_x, target_labels = draw_points("target", 0.5)
drawn = new_figure(10, 4.2)
for axes, x, y, name in zip(
    drawn.subplots(1, 2, sharey=True),
    (source_x, target_x),
    (source_labels, target_labels),
    ("source", "target, labels hidden in training"),
    strict=True,
):
    for label, sign in ((0, "-1"), (1, "+1")):
        axes.scatter(*x[:800][y[:800] == label].T, s=4, label=f"label {sign}")
    axes.set(title=name, xlabel="first number", ylabel="second number", aspect="equal")
    axes.set(xlim=(-6, 6), ylim=(-6, 6))
    axes.legend(loc="upper left", markerscale=3)
show(drawn, "points", "Points of both domains. Only the first number means the same in both.")

# %% [markdown]
# ## 2. A bound on the target error
#
# Let $h$ be a classifier, and $\epsilon_S(h)$ and $\epsilon_T(h)$ its errors in the two domains.
# What can we know about $\epsilon_T(h)$ without target labels (Ben-David et al. 2010)? Write
# $\epsilon_T(h, h')$ for the fraction of target examples on which $h$ and $h'$ disagree. Take any
# other classifier $h^*$ from the same class $H$. Where $h$ is wrong, either $h^*$ is wrong or the
# two disagree:
#
# $$\epsilon_T(h) \le \epsilon_T(h^*) + \epsilon_T(h, h^*)
# \le \epsilon_T(h^*) + \epsilon_S(h, h^*) + |\epsilon_T(h, h^*) - \epsilon_S(h, h^*)|.$$
#
# The middle term is at most $\epsilon_S(h) + \epsilon_S(h^*)$, by the same argument. The last term
# is at most its maximum over *all* pairs in $H$, which is called $d / 2$. So
#
# $$\epsilon_T(h) \le \epsilon_S(h) + \frac{d}{2} + \lambda^*, \qquad
# \lambda^* = \min_{h^* \in H} \left( \epsilon_S(h^*) + \epsilon_T(h^*) \right).$$
#
# The first term can be measured. The second term can also be measured, without target labels: it
# shows how well the domains can be distinguished by the examples on which two classifiers disagree.
# The third term requires target labels. It shows whether *one* classifier can be good in both
# domains. Domain adaptation rests on this bound: look for features for which $\epsilon_S$ and $d$
# are small, and hope that $\lambda^*$ is also small.
#
# In our problem, everything has a closed form. Let the feature be one number, the projection of a
# point on a direction with angle $\theta$: $f = \cos \theta x_1 + \sin \theta x_2$. In each domain,
# it is a mixture of two normal distributions with standard deviation 1, and $H$ contains the
# thresholds on $f$, with both signs. Two such classifiers disagree on an interval or on its
# complement. An interval from $a$ to $b$ has the probability $F(b) - F(a)$. With $G = F_S - F_T$,
# the difference between the distribution functions, the largest difference between the
# probabilities is $d / 2 = \max G - \min G$.

# %%
f = np.linspace(-9, 9, 1801)
F_STEP = f[1] - f[0]


def centers(angle, domain):
    """Returns the means of the feature for both labels."""
    signs = np.array([-1, 1])
    second = SECOND * signs if domain == "source" else np.full(2, SHIFT)
    return np.cos(angle) * FIRST * signs + np.sin(angle) * second


def mixed(function, angle, domain, fraction=0.5):
    """Averages a function of both normal distributions, weighted by label fractions."""
    low, high = centers(angle, domain)
    return (1 - fraction) * function(f - low) + fraction * function(f - high)


def errors_of_thresholds(angle, domain, fraction=0.5):
    """Returns the error of the classifier that predicts +1 above each value of f."""
    low, high = centers(angle, domain)
    return (1 - fraction) * norm.sf(f - low) + fraction * norm.cdf(f - high)


def source_classifier(angle, fraction=0.5):
    """Returns source and target errors of the threshold that is best in the source."""
    source = errors_of_thresholds(angle, "source")
    target = errors_of_thresholds(angle, "target", fraction)
    flipped = 1 - source.max() < source.min()
    best = np.argmax(source) if flipped else np.argmin(source)
    return tuple(1 - errors[best] if flipped else errors[best] for errors in (source, target))


def bound_terms(angle):
    """Returns the source error, d / 2, and the minimum sum of both errors."""
    difference = mixed(norm.cdf, angle, "source") - mixed(norm.cdf, angle, "target")
    both = sum(errors_of_thresholds(angle, domain) for domain in ("source", "target"))
    least = min(both.min(), 2 - both.max())  # of either sign
    return source_classifier(angle)[0], difference.max() - difference.min(), least


angles = np.radians(np.arange(-90, 91))
terms = np.array([bound_terms(angle) for angle in angles])
target_errors = np.array([source_classifier(angle)[1] for angle in angles])
slack = terms.sum(axis=1) - target_errors
best_in_source = np.arctan2(SECOND, FIRST)
print("angle   error: source   target    bound = source + d / 2 + least sum")
for angle in (best_in_source, 0.0):
    error, distance, least = bound_terms(angle)
    print(
        f"{np.degrees(angle):4.0f}° {error:14.3f} {source_classifier(angle)[1]:8.3f}"
        f" {error + distance + least:8.3f} = {error:.3f} + {distance:.3f} + {least:.3f}"
    )
print(f"the bound holds at all angles: {bool((slack >= -1e-6).all())}")

drawn = new_figure(10, 4.2)
axes = drawn.subplots()
degrees = np.degrees(angles)
lines = {
    "error in the source": (terms[:, 0], "-"),
    "d / 2": (terms[:, 1], "--"),
    "least sum of errors": (terms[:, 2], ":"),
    "bound": (terms.sum(axis=1), "-"),
    "error in the target": (target_errors, "-"),
}
for name, (values, style) in lines.items():
    axes.plot(degrees, values, style, linewidth=2, label=name)
axes.axvline(np.degrees(best_in_source), color="gray", linewidth=1, label="best in the source")
axes.set(xlabel="angle of the feature's direction, degrees", ylabel="fraction of examples")
axes.set(xlim=(-90, 90), ylim=(0, 1.6))
drawn.legend(loc="outside right center")
show(drawn, "bound", "The bound on the target error, and its terms, for each feature.")

# %% [markdown]
# The direction that is best in the source has a large error in the target. (The direction of -31°
# is the worst, because the sign of the best classifier in the source changes there.) At 0°, the
# feature is the first number alone: $d$ is 0, and the errors in both domains are equal. The bound
# holds everywhere, but it is loose, because its middle term is a worst case over all classifiers.
# The bound motivates a method, but does not estimate the error.
#
# ## 3. The game of domain adaptation
#
# To make $d$ small, train a **discriminator** $D$ that predicts from the features $f(x)$ whether
# $x$ comes from the source. Chapter 9 derived its minimum loss, with $p_S$ and $p_T$ for the
# densities of the features:
#
# $$\min_D \left( E_S [ -\log D(f) ] + E_T [ -\log (1 - D(f)) ] \right)
# = 2 \log 2 - 2 \mathrm{JS}(p_S, p_T).$$
#
# This loss is largest if the domains have the same features. So the encoder *maximizes* this loss,
# with a weight $\lambda$, while it minimizes the classifier's loss on source labels. (This
# $\lambda$ is not $\lambda^*$.) A trick makes a second optimizer unnecessary: between the encoder
# and the discriminator, a layer returns its input unchanged, but multiplies the gradient by
# $-\lambda$ in the backward pass. This is **gradient reversal**, and the method is DANN (Ganin et
# al. 2016). One descent step on the *sum* of both losses then moves all networks as intended. The
# library's function `reverse_gradient` does this.
#
# ![The encoder turns examples of both domains into features. The classifier predicts labels from them, and the discriminator predicts the domain behind a gradient reversal. A dashed arrow shows that the gradient of the domain loss reaches the encoder with the opposite sign.](diagrams/12_dann.svg)
#
# *DANN. Dashed: gradients that reach the encoder. The circle reverses the gradient of the domain loss.*


# %%
class PlainDANN(GenerativeModel):
    """Learns source labels from features that do not reveal the domain."""

    totals = ("label_loss", "d_loss")
    batch = ("x", "labels", "target_x")

    def __init__(self, encoder, classifier, discriminator, weight, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.classifier = classifier
        self.discriminator = discriminator
        self.weight = weight
        self.edges["x"] = Vectors((2,), "points")
        self.edges["labels"] = Labels(2)
        self.edges["target_x"] = Vectors((2,), "target_points")

    def train_step(self, data):
        batch = self.prepare_batch(data)

        def losses():
            source = self.encoder(batch["x"], training=True)
            target = self.encoder(batch["target_x"], training=True)
            label_loss = label_cross_entropy(batch["labels"], self.classifier(source))
            domain_loss = 0.0
            for domain, features in ((0, source), (1, target)):
                logits = self.discriminator(reverse_gradient(features, self.weight))
                domains = tf.fill(tf.shape(features)[:1], domain)
                domain_loss += label_cross_entropy(domains, logits)
            return label_loss + domain_loss, label_loss, domain_loss

        _, label_loss, domain_loss = self.minimize(losses)
        return self.report(label_loss=label_loss, d_loss=domain_loss)


# %% [markdown]
# The encoder is a projection on one direction of length 1. Limiting its length matters: otherwise,
# larger features increase the loss of a discriminator that lags behind. (The optimal discriminator
# would not be affected.) The encoder is initialized with the direction that is best in the source.


# %%
def networks():
    """Returns an encoder to one feature, a classifier, and a discriminator."""
    start = np.array([[np.cos(best_in_source)], [np.sin(best_in_source)]])
    project = keras.layers.Dense(
        1,
        use_bias=False,
        kernel_initializer=keras.initializers.Constant(start),
        kernel_constraint=keras.constraints.UnitNorm(),
    )
    encoder = keras.Sequential([keras.Input((2,)), project])
    classifier = mlp_encoder((1,), 2, (), name="classifier")
    return encoder, classifier, dense_discriminator(1, hidden=(32, 32))


def train(model, steps, *parts, batch_size=256, **optimizers):
    """Trains on batches of examples and returns the last value of each loss."""
    optimizers = optimizers or {"optimizer": Adam(5e-3)}
    model.compile(**optimizers, steps_per_execution=PER_CALL, run_eagerly=QUICK)
    stream = Source(parts).stream(batch_size, 0)
    half = max(steps // 2, 1)
    history = model.fit(stream, steps_per_epoch=half, epochs=2, verbose=0).history
    return {name: values[-1] for name, values in history.items()}


def angle_of(model):
    (first,), (second,) = model.encoder.get_weights()[0]
    return np.arctan2(second, first)


def js(angle, fraction=0.5):
    """Returns the Jensen-Shannon divergence between the domains' features."""
    p = mixed(norm.pdf, angle, "source") + 1e-300
    q = mixed(norm.pdf, angle, "target", fraction) + 1e-300
    m = (p + q) / 2
    return 0.5 * np.sum(p * np.log(p / m) + q * np.log(q / m)) * F_STEP


plain = PlainDANN(*networks(), weight=1.0)
last = train(plain, STEPS, source_x, source_labels, target_x)
print(f"direction of PlainDANN        {np.degrees(angle_of(plain)):.1f}°")
print(f"discriminator's loss          {last['d_loss']:.3f} nats")
print(f"2 log 2 - 2 JS at this angle  {2 * np.log(2) - 2 * js(angle_of(plain)):.3f} nats")

# %% [markdown]
# The library's class `DANN` has the same step and accepts images or vectors. We train it with
# several weights, which grow from 0 during training as in the paper, because an untrained
# discriminator should not guide the encoder. Because everything is known here, we also compute
# where the game *should* end: start from the best direction in the source and descend on the
# classifier's loss plus $2 \lambda$ JS. And we compare with simple baselines: the source alone, and
# CORAL, which transforms the source features to the mean and covariance of the target features
# before a linear classifier is fitted to them. The best direction for the target is 0°.


# %%
def source_loss(angle):
    """Returns the cross-entropy of the best source classifier: its logit is 2 m f."""
    m = centers(angle, "source")[1]
    return np.sum(norm.pdf(f - m) * np.logaddexp(0, -2 * m * f)) * F_STEP


label_losses = np.array([source_loss(angle) for angle in angles])
divergences = {part: np.array([js(angle, part) for angle in angles]) for part in (0.5, 0.9)}


def downhill(weight, fraction):
    """Returns the angle where descent from the best source direction ends."""
    losses = label_losses + 2 * weight * divergences[fraction]
    place = np.argmin(label_losses)
    while (best := place - 1 + np.argmin(losses[place - 1 : place + 2])) != place:
        place = best
    return angles[place]


def measured_error(model, x, labels):
    return np.mean(model.classify(x).argmax(axis=1) != labels)


def adapted(fraction):
    """Returns the target error and the trained model for each weight."""
    x, _ = draw_points("target", fraction)
    test_x, test_labels = draw_points("target", fraction)
    found = {}
    for weight in WEIGHTS:
        model = DANN(*networks(), weight=Sigmoid(weight, STEPS))
        train(model, STEPS, source_x, source_labels, x)
        found[weight] = measured_error(model, test_x, test_labels), model
        best = downhill(weight, fraction)
        print(
            f"{weight:6} {np.degrees(angle_of(model)):10.1f}° {np.degrees(best):8.0f}°"
            f" {measured_error(model, source_x, source_labels):13.3f}"
            f" {found[weight][0]:15.3f} {source_classifier(best, fraction)[1]:8.3f}"
        )
    coral = coral_accuracy(source_x, source_labels, x, test_x, test_labels)
    print(f"CORAL's error in the target   {1 - coral:.3f}")
    return found


print("weight    learned   theory   error: source   target, learned   theory")
equal = adapted(0.5)
print(f"best possible by one feature  {norm.sf(FIRST):.3f}")

drawn = new_figure(11, 3.8)
*panels, valleys = drawn.subplots(1, 3)
ends = [("source alone", equal[min(WEIGHTS)][1]), ("DANN, weight 1", equal[1.0][1])]
for axes, (name, model) in zip(panels, ends, strict=True):
    for domain in ("source", "target"):
        axes.plot(f, mixed(norm.pdf, angle_of(model), domain), label=domain, linewidth=2)
    axes.set(title=name, xlim=(-6, 6), ylim=(0, 0.45), xlabel="feature f", ylabel="density")
    axes.legend(loc="upper left")
for weight in WEIGHTS[1:4]:
    losses = label_losses + 2 * weight * divergences[0.5]
    line = valleys.plot(degrees, losses, label=f"weight {weight:g}")[0]
    ended = (angle_of(equal[weight][1]) + np.pi / 2) % np.pi - np.pi / 2  # same up to the sign
    height = np.interp(ended, angles, losses)
    valleys.plot(np.degrees(ended), height, "o", color=line.get_color())
valleys.axvline(np.degrees(best_in_source), color="gray", linestyle="--", label="start")
valleys.set(title="loss of the encoder", xlabel="angle, degrees", ylabel="nats")
valleys.set(xlim=(-90, 90), ylim=(0, 2.2))
valleys.legend(loc="upper left")
show(
    drawn,
    "features",
    "Left and center: densities of the feature without and with the game. Right: the encoder's"
    " loss, with dots where training ended.",
)

# %% [markdown]
# **Without a game.** The kernel distance of [chapter 10](10_gans_that_draw.md), the squared *maximum
# mean discrepancy* (MMD), also compares two sets, and it has a gradient. So the encoder can minimize
# the classifier's loss plus $\lambda$ times
#
# $$\mathrm{MMD}^2 = E k(f_s, f_s') + E k(f_t, f_t') - 2 E k(f_s, f_t)$$
#
# on batches of source features $f_s$ and target features $f_t$, with no discriminator and no game
# (Long et al. 2015). With a Gaussian kernel $k$, it is 0 only for equal distributions. Here, the
# expectations are sums over the known densities, so we compute where this descent ends.

# %%
gaussian_kernel = np.exp(-0.5 * (f[:, None] - f) ** 2)


def squared_mmd(angle):
    p, q = (mixed(norm.pdf, angle, domain) for domain in ("source", "target"))
    return (p - q) @ gaussian_kernel @ (p - q) * F_STEP**2


divergences["MMD"] = np.array([squared_mmd(angle) for angle in angles])
print("weight of MMD^2   direction   error in the target")
for weight in WEIGHTS:
    best = downhill(weight / 2, "MMD")
    print(f"{weight:15} {np.degrees(best):10.0f}° {source_classifier(best, 0.5)[1]:21.3f}")

# %% [markdown]
# A larger weight moves the direction closer to 0°, and the error in the target falls to the minimum.
# A fixed kernel cannot lag behind, so no weight fails here. But it sees differences only at its own
# scale, here 1, and in many dimensions, most pairs of features are equally far apart for a kernel. A
# discriminator learns which differences matter.
#
# **Back to the game.** With a weight of 1, the game ends where the theory predicts, and the error
# in the target falls nearly to the minimum. The discriminator's loss shows how far apart the
# domains still are. CORAL equalizes means and covariances, which helps little: the second feature
# then has the same variance as in the target, but is still misleading. DANN has a cost: the error
# in the source rises.
#
# With larger weights, the game can fail. The loss has two valleys, and the start at 59° is only 8°
# from the ridge between them. Gradient descent would reach the correct valley. But the game is not
# gradient descent, because its discriminator lags behind. This may be why in some runs, the encoder
# crosses the ridge and ends near 125°, which is the direction of -55° with the opposite sign;
# whether a run with a weight of 3 or 10 does so depends on the seed. Two symptoms of failure are
# visible without target labels: a higher error in the source, and a discriminator that
# distinguishes the domains. So a weight can be *ruled out* without target labels, but the data
# available to the method cannot decide between weights that are similar in both respects.
#
# ## 4. What alignment cannot promise
#
# Let the features have *exactly* the same distribution in both domains. Then every classifier $h$
# on these features predicts +1 equally often in both domains, with some probability $r$. Let
# $\pi_S$ and $\pi_T$ be the fractions of the label +1. If a classifier predicts +1 for a fraction
# $r$ of the source examples, and a fraction $\pi_S$ has this label, at least a fraction $|r -
# \pi_S|$ of the predictions are wrong. So
#
# $$\epsilon_S(h) + \epsilon_T(h) \ge |r - \pi_S| + |r - \pi_T| \ge |\pi_S - \pi_T|.$$
#
# If the labels have different proportions in the target, alignment *forces* errors (Zhao et al.
# 2019). If features are not exactly aligned, the sum of the errors can be lower, but at most by
# their total variation, the largest difference between the two probabilities of any set. We train
# again, with nine tenths of the target labels equal to +1.

# %%
print("weight    learned   theory   error: source   target, learned   theory")
unequal = adapted(0.9)
print(f"for aligned features the errors add up to at least {0.9 - 0.5:.1f}")

drawn = new_figure(8.5, 4.2)
axes = drawn.subplots()
many = np.concatenate([[0], np.geomspace(0.03, 12, 60)])
for fraction, trained, color in ((0.5, equal, "tab:blue"), (0.9, unequal, "tab:red")):
    theory = [source_classifier(downhill(weight, fraction), fraction)[1] for weight in many]
    label = f"{fraction:.0%} of +1 in the target"
    axes.plot(many, theory, color=color, label=f"{label}, theory")
    dots = [trained[weight][0] for weight in WEIGHTS]
    axes.plot(WEIGHTS, dots, "o", color=color, label=f"{label}, DANN")
axes.axhline(
    norm.sf(FIRST), color="gray", linestyle="--", label="first number alone, threshold 0"
)
axes.set(xlabel="weight of the reversed gradient", ylabel="error in the target")
axes.set_xscale("symlog", linthresh=0.03)
axes.set_xticks(ticks := [0, 0.03, 0.1, 0.3, 1, 3, 10], [f"{tick:g}" for tick in ticks])
axes.set(xlim=(-0.005, 12), ylim=(0, 0.75))
axes.legend(loc="upper center")
show(
    drawn,
    "shift",
    "Half of the source has label +1. If the target differs, a large weight is harmful.",
)

# %% [markdown]
# With equal proportions, a larger weight does better in theory, although in practice the game may
# fail. With different proportions, a large weight hurts even in theory: here, a weight of 10 hurts,
# whereas small weights still help. With small weights, the features are not aligned, so the
# inequality does not apply: the sum of both errors is far below 0.4. With a weight of 10, the
# features are more aligned, because the encoder chooses a direction in which the two features
# nearly cancel in the source and the classifier's sign is wrong in the target. Then both errors are
# high. Here, CORAL, which aligns features regardless of the proportions, has a far larger error
# than training on the source alone.
#
# So aligned features are not the goal. They help when the labels have the same proportions and one
# classifier is good in both domains. The second condition cannot be verified without target labels.
#
# ## 5. Blind representations, and who tests them
#
# Now the adversary predicts an **attribute** $a$, 0 or 1, such as a person's sex, from a code $z$.
# If $z$ has the same distribution for both values, no decision based on $z$ can be more frequent
# for one value than for the other. More precisely, let $h$ be any decision, and TV the total
# variation distance between $p(z \mid a = 0)$ and $p(z \mid a = 1)$. The probabilities of the set
# where $h$ is 1 differ by at most TV:
#
# $$|P(h = 1 \mid a = 0) - P(h = 1 \mid a = 1)| \le \mathrm{TV}.$$
#
# The left side is the **parity gap**. Measuring TV requires the *best* adversary: with equally
# frequent values, the best accuracy of predicting $a$ is $(1 + \mathrm{TV}) / 2$. A weak adversary
# only gives a lower bound on TV. Section 4 also applies, with the two attribute values instead of
# the domains: if the label is more frequent for one value, exact blindness forces errors.
#
# How misleading can a weak test be? Let the code be one number, $N(0, 1)$ for $a = 0$ and $N(0,
# s^2)$ for $a = 1$. A linear probe compares means and does not find a difference. But $|z|$ is
# informative. We measure how well a score predicts $a$ with the area under the ROC curve (AUC): the
# probability that an example with $a = 1$ gets a higher score than an example with $a = 0$, which
# is 0.5 for a blind code. For two independent standard normal variables $u$ and $v$, the point $(u,
# v)$ has a uniform angle. So
#
# $$P(s |u| > |v|) = \frac{2}{\pi} \arctan s.$$


# %%
def leak(codes, attributes, test_codes, test_attributes):
    found = attribute_leak(codes, attributes, test_codes, test_attributes)
    return found["linear_auc"], found["trees_auc"]


S = 3.0
attribute = random.integers(2, size=2 * TESTED)
code = (random.normal(size=2 * TESTED) * np.where(attribute == 1, S, 1))[:, None]
half = code[:TESTED], attribute[:TESTED], code[TESTED:], attribute[TESTED:]
linear_auc, trees_auc = leak(*half)
print(f"AUC of logistic regression {linear_auc:.3f}")
print(f"AUC of boosted trees       {trees_auc:.3f}")
print(f"2 / pi arctan s            {2 / np.pi * np.arctan(S):.3f}")

# %% [markdown]
# Now for digits. The label is whether a digit is odd. Each digit is painted red or green: four
# fifths of the odd digits and half of the even digits are red. So color helps to predict the label,
# and the code of a plain classifier reveals the color. `ALFR` (Edwards and Storkey 2016) plays the
# game in turns: an **adversary** learns to predict the color from the code, with five steps per
# encoder step. The encoder minimizes the classifier's loss minus a weight times the adversary's
# loss. The weight again grows from 0, and the encoder's learning rate falls to 0, so that the
# adversary can catch up.
#
# The adversary is evaluated on training digits, where always predicting "red" has an accuracy of
# 65%. The two **probes** are other classifiers: logistic regression and boosted trees. They are
# trained from scratch on the final codes of digits, half of which are red in each class, and
# evaluated on test digits.

# %%
data = small_images("mnist", labels=True, first=DIGITS)
print(data.warning or "the digits of MNIST")
digits = data.train.take(DIGITS)
tested = data.test.take(TESTED)


def in_colors(some, green):
    """Returns images, whether they are odd, and whether they are green."""
    painted, groups = rare_color(some, green, seed=0)
    images, odd = painted.arrays()
    return images, odd, groups % 2


train_colors = in_colors(digits, 0.2)
probe_colors = in_colors(digits.take(TESTED), 0.5)
test_colors = in_colors(tested, 0.5)


def alfr(hidden, weight):
    """Returns a model with codes of two numbers in [-1, 1] and the given adversary."""
    return ALFR(
        mlp_encoder((28, 28, 3), 2, (64,), "relu", output_activation="tanh"),
        mlp_encoder((2,), 2, (), name="classifier"),
        dense_discriminator(2, hidden=hidden),
        weight=Sigmoid(weight, DIGIT_STEPS),
        discriminator_steps=5,
    )


games = {
    "no adversary": alfr((), 0.0),
    "linear adversary": alfr((), 1.0),
    "dense adversary": alfr((64, 64), 1.0),
}
if QUICK:
    games = {"linear adversary": games["linear adversary"]}
panels = {}
print("                       accuracy of   probe's AUC for color   label")
print("                     the adversary       linear      trees correct")
for name, model in games.items():
    falling = keras.optimizers.schedules.CosineDecay(1e-3, DIGIT_STEPS)
    adam = {"optimizer": Adam(falling), "d_optimizer": Adam(1e-3)}
    last = train(model, DIGIT_STEPS, *train_colors, batch_size=100, **adam)
    codes = model.features(test_colors[0])
    aucs = leak(model.features(probe_colors[0]), probe_colors[2], codes, test_colors[2])
    right = np.mean(model.classify(test_colors[0]).argmax(axis=1) == test_colors[1])
    print(f"{name:20} {last['d_accuracy']:14.3f} {aucs[0]:12.3f} {aucs[1]:10.3f} {right:7.3f}")
    panels[name] = codes[:2000]
drawn = new_figure(11, 3.9)
row = drawn.subplots(1, len(panels), squeeze=False)[0]
for axes, (name, codes) in zip(row, panels.items(), strict=True):
    # Shades of red and green that color-blind readers can distinguish (Okabe, Ito), two markers.
    for color, style in enumerate((dict(color="#D55E00"), dict(color="#009E73", marker="^"))):
        shown = codes[test_colors[2][:2000] == color]
        axes.scatter(*shown.T, s=7, alpha=0.5, linewidths=0, **style)
    axes.set(title=name, xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xlabel="code 1")
row[0].set_ylabel("code 2")
show(
    drawn,
    "codes",
    "Codes of red (dots) and green (triangles) test digits. A blind code would mix both everywhere.",
)

# %% [markdown]
# Two simple methods serve as baselines. If the colors are known, digits can be converted to gray.
# If not, all information that is accessible to a *linear* probe can be erased in closed form:
# `LinearErasure` (LEACE, Belrose et al. 2023) moves examples as little as possible so that both
# colors have the same mean. For both baselines, the probes receive the means of blocks of 4 × 4
# pixels.


# %%
def blocks(images):
    """Returns means of 4 x 4 pixels, `[n, values]`."""
    n, height, width, channels = images.shape
    parts = images.reshape(n, height // 4, 4, width // 4, 4, channels) / 255
    return parts.mean(axis=(2, 4)).reshape(n, -1)


def gray(images):
    return images.sum(axis=-1, keepdims=True)


pixels, test_pixels = blocks(probe_colors[0]), blocks(test_colors[0])
erase = LinearErasure(pixels, probe_colors[2])
cheap = {
    "painted digits": (pixels, test_pixels),
    "linearly erased": (erase(pixels), erase(test_pixels)),
    "gray digits": (blocks(gray(probe_colors[0])), blocks(gray(test_colors[0]))),
}
print("probe's AUC for color linear   trees")
for name, (codes, test_codes) in cheap.items():
    aucs = leak(codes, probe_colors[2], test_codes, test_colors[2])
    print(f"{name:20} {aucs[0]:7.3f} {aucs[1]:7.3f}")

# %% [markdown]
# Erasure is the extreme case: the linear probe does not find the color, but the trees find it
# perfectly. Codes from networks partly behave in the same way. In every game, the trees find more
# than the linear probe does. With the linear adversary, the linear probe finds less than without an
# adversary. But the trees find a good deal more than this probe, in some runs even more than
# without an adversary: the encoder has hidden the color mainly from linear probes.
#
# Each game is shown for a single run, and such games end differently from seed to seed, so a claim
# about a method needs several runs. The recipe in the table at the end uses three seeds. Both here
# and there, gray digits hide the color better than every game: if you know what to hide, remove it
# instead of learning to hide it.
#
# ## 6. Adversarial examples: why linear models have them
#
# An **adversarial example** is an input that was changed so little that a person still recognizes
# it, but a classifier now misclassifies it. Let each of the $n$ numbers in $x$ change by at most
# $\epsilon$. Take a linear classifier, the sign of $w \cdot x$, and a label $y = \pm 1$. Its
# **margin** $y w \cdot x$ is positive if the classification is correct. To find the change $\delta$
# that lowers the margin most, choose each number separately: $\delta_i = -\epsilon y \,
# \mathrm{sign}(w_i)$. This change lowers the margin by
#
# $$\epsilon \sum_i |w_i| = \epsilon |w|_1.$$
#
# Many small changes add up. If all $|w_i|$ are equal, $|w|_1$ is $\sqrt{n}$ times the length
# $|w|_2$, while noise with standard deviation 1 in each number moves the margin only by about
# $|w|_2$. For images with $n$ in the thousands, invisible changes have more effect than visible
# noise. This effect does not depend on any peculiarity of networks (Goodfellow et al. 2015).
#
# For any smooth classifier, the gradient of the loss with respect to the input replaces $w$:
#
# $$x' = x + \epsilon \, \mathrm{sign} \frac{\partial}{\partial x} l(x, y).$$
#
# This is the **fast gradient sign method**, FGSM. It is exact for linear models and a first-order
# approximation for other models.
#
# **A problem with a closed form.** Let $x$ be $N(y \mu, I)$. The margin of $w$ is normal, with mean
# $w \cdot \mu$ and standard deviation $|w|_2$. Under the worst change, its mean is lower by
# $\epsilon |w|_1$. With $\Phi$ for the standard normal distribution function, the accuracy is
#
# $$\Phi \left( \frac{w \cdot \mu - \epsilon |w|_1}{|w|_2} \right).$$
#
# Without an attack, the best $w$ is $\mu$. What is the best $w$ under attack? Let $w_i$ have the
# sign of $\mu_i$; the opposite sign can only lower the accuracy. The numerator is
#
# $$\sum_i |w_i| (|\mu_i| - \epsilon) \le \sum_i |w_i| (|\mu_i| - \epsilon)_+ \le |w|_2 |s|_2,$$
#
# where $(\cdot)_+$ replaces negative values with 0, $s_i = (|\mu_i| - \epsilon)_+
# \mathrm{sign}(\mu_i)$, and the last step is the Cauchy–Schwarz inequality. It is an equality for
# $w = s$. So the best robust classifier *drops* all features that an attack can outweigh, and its
# accuracy under attack is $\Phi(|s|_2)$.
#
# We use 5 strong features with $\mu_i = 0.6$ and 200 weak features with $\mu_i = 0.15$; the noise
# has standard deviation 1. The attack may move each feature by 0.15, so it can cancel each weak
# feature.

# %%
MU = np.concatenate([np.full(5, 0.6), np.full(200, 0.15)])
EPSILON = 0.15
standard_w = MU
robust_w = np.sign(MU) * np.maximum(abs(MU) - EPSILON, 0)


def gaussian_accuracy(w, epsilon):
    return norm.cdf((w @ MU - epsilon * abs(w).sum()) / np.linalg.norm(w))


for name, w in (("standard", standard_w), ("robust", robust_w)):
    print(
        f"{name:10} accuracy without attack {gaussian_accuracy(w, 0):.3f},"
        f" under attack {gaussian_accuracy(w, EPSILON):.3f}"
    )

# %% [markdown]
# Each of the two classifiers is the best linear classifier for its own goal. The standard
# classifier has the higher accuracy without an attack and the lower accuracy under attack. So here,
# robustness costs accuracy, because the weak features are useful but fragile (Tsipras et al. 2019).
#
# ## 7. Adversarial training
#
# To learn such a $w$, put the attack into the training loop (Madry et al. 2018). The weights
# minimize the loss that the attack maximizes:
#
# $$\min_w E \left[ \max_{|\delta|_\infty \le \epsilon} l(x + \delta, y) \right].$$
#
# How do we get the gradient of a maximum? Let $\delta^*$ be a maximizing change. Where it is
# unique, the derivative of the maximum with respect to $w$ is the derivative of the loss *at the
# fixed* $\delta^*$ (Danskin's theorem). If $\delta^*$ is inside the cube of changes, it may move
# with $w$, but this has no first-order effect, because the slope is 0 at a maximum. At a corner of
# the cube, as for linear classifiers, $\delta^*$ does not move. (Where some $w_i$ is 0, as in the
# robust solution here, there are several maxima and no derivative, only a subgradient.) So a
# training step attacks the examples, and then descends on the loss of the attacked examples as if
# they were data.
#
# For our linear problem, FGSM is the exact maximum. Which direction minimizes the loss? The
# attacked margin is normal with mean $w \cdot \mu - \epsilon |w|_1$ and standard deviation $|w|_2$,
# and the mean of any decreasing loss falls as the mean margin rises. So for each length $|w|_2$,
# the best direction is the direction of $s$, and training should find it.


# %%
class PlainAdversarialTraining(GenerativeModel):
    """A classifier trained on FGSM examples of each batch."""

    batch = ("x", "labels")

    def __init__(self, network, epsilon, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.epsilon = epsilon
        self.edges["x"] = Vectors(tuple(network.input_shape[1:]), "vectors")
        self.edges["labels"] = Labels(2)

    def train_step(self, data):
        batch = self.prepare_batch(data)
        x, labels = batch["x"], batch["labels"]
        with tf.GradientTape() as tape:  # the attack
            tape.watch(x)
            loss = tf.reduce_sum(label_cross_entropy(labels, self.network(x)))
        attacked = x + self.epsilon * tf.sign(tape.gradient(loss, x))

        def attacked_loss():
            return label_cross_entropy(labels, self.network(attacked, training=True))

        loss = self.minimize(attacked_loss)
        return self.report(loss=loss)


def draw_gaussian(number=POINTS):
    labels = random.integers(2, size=number)
    x = np.outer(2 * labels - 1, MU) + random.normal(size=(number, len(MU)))
    return x.astype("float32"), labels


gaussian, gaussian_labels = draw_gaussian()
linear = mlp_encoder((len(MU),), 2, (), name="linear")
plain = PlainAdversarialTraining(linear, EPSILON)
decay = keras.optimizers.schedules.CosineDecay(1e-2, STEPS)
train(plain, STEPS, gaussian, gaussian_labels, optimizer=Adam(decay))


def direction(network):
    """Returns the normalized difference between the weights of both logits."""
    kernel = network.get_weights()[0]
    w = kernel[:, 1] - kernel[:, 0]
    return w / np.linalg.norm(w)


robust = direction(linear)
cosine = robust @ robust_w / np.linalg.norm(robust_w)
print(f"cosine of PlainAdversarialTraining's direction and the robust one {cosine:.3f}")

# %% [markdown]
# The class `AdversarialTraining` accepts any attack in the library. With $\epsilon = 0$, it is an
# ordinary classifier. We compare both with the formula, for attacks of many strengths. The dots are
# measured on new points, with the library's FGSM.

# %%
test_gaussian, test_gaussian_labels = draw_gaussian(TESTED)
strengths = np.linspace(0, 0.3, 4 if QUICK else 13)
drawn = new_figure(10, 4.2)
left, right = drawn.subplots(1, 2)
bounds = (-10.0, 10.0)  # the range of the numbers, for the attack
for name, epsilon, w in (("standard", 0.0, standard_w), ("robust", EPSILON, robust_w)):
    network = mlp_encoder((len(MU),), 2, (), name="linear")
    classifier = mlp_encoder((2,), 2, (), name="classifier")
    model = AdversarialTraining(network, classifier, FGSM(epsilon))
    train(model, STEPS, gaussian, gaussian_labels, optimizer=Adam(decay))
    kernel = network.get_weights()[0] @ classifier.get_weights()[0]
    learned = kernel[:, 1] - kernel[:, 0]
    learned /= np.linalg.norm(learned)
    shown = left.plot(learned[:60], label=f"{name}, learned")[0]
    ideal = w / np.linalg.norm(w)
    left.plot(ideal[:60], "--", color=shown.get_color(), label=f"{name}, formula")
    formula = [gaussian_accuracy(w, strength) for strength in strengths]
    right.plot(strengths, formula, color=shown.get_color(), label=f"{name}, formula")
    measured = []
    for strength in strengths[:: max(len(strengths) // 4, 1)]:
        some = {"attacked": FGSM(float(strength))} if strength else {}
        found = robust_accuracy(model, test_gaussian, test_gaussian_labels, some, bounds)
        measured.append(found["worst"])
    places = strengths[:: max(len(strengths) // 4, 1)]
    right.plot(places, measured, "o", color=shown.get_color(), label=f"{name}, measured")
    print(f"{name:10} cosine with the formula's direction {learned @ ideal:.3f}")
left.set(xlabel="feature (5 strong ones, then 55 of 200 weak ones)", ylabel="weight")
right.set(xlabel="strength of the attack", ylabel="accuracy")
for axes in (left, right):
    axes.legend()
show(drawn, "gaussian", "Weights of both classifiers, and their accuracies under attack.")

# %% [markdown]
# The learned weights are noisy, because they come from only 20,000 points. Even so, the dots are
# close to the curves. The curves cross: the standard classifier is better under weaker attacks, and
# the robust classifier is better at the strength for which it was trained.
#
# ## 8. Attacks on networks, and an honest evaluation
#
# A network is not linear, so one FGSM step does not necessarily find the worst change. There are
# stronger attacks:
#
# - **PGD**, projected gradient descent: many small FGSM steps from a random start, each followed by
#   a projection of $x'$ onto the cube with side $2 \epsilon$ around $x$ (Madry et al. 2018);
# - **APGD**: PGD that chooses its step sizes automatically, here with two losses: the cross-entropy
#   and the margin (Croce and Hein 2020);
# - **SquareAttack**, which uses no gradients: random squares of the image are moved to the border
#   of the cube, and changes that help are kept (Andriushchenko et al. 2020).
#
# Each attack finds *some* change, never provably the worst change. So every accuracy under attack
# is an upper bound on the true robust accuracy. We report, for each image, the worst case over all
# attacks.
#
# We compare six classifiers of digits, with $\epsilon = 0.3$ of the pixel range:
#
# - one without a defense, with two dense layers, and two with the same layers: one trained with
#   FGSM, and one with five-step PGD whose $\epsilon$ grows in the first half of training;
# - the first one behind a pixel **threshold** at one half, in two versions. The first replaces
#   the threshold with a steep sigmoid, whose slope is almost exactly 0, so gradient attacks see
#   nothing. The second, the library's `thresholded`, lets the gradient pass as if the threshold
#   were absent: this attack is made *for* the defense;
# - the recipe's published model, a convolutional network trained with PGD for 49 minutes, which
#   `keras_gen.load` returns with its networks.

# %%
test_images, test_labels = data.test.take(ATTACKED).arrays()
EPS = 0.3


def digit_networks():
    hidden = mlp_encoder((28, 28, 1), 128, (256,), "relu", output_activation="relu")
    return hidden, mlp_encoder((128,), 10, (), name="classifier")


def steep(network):
    """A network behind a threshold whose slope is that of a steep sigmoid."""
    return lambda x, training=False: network(tf.sigmoid(300.0 * (x - 0.5)), training=training)


growing = PGD(Linear(0.0, EPS, steps=max(DIGIT_STEPS // 2, 1)), steps=5, relative_step=0.35)
undefended = Classifier(*digit_networks())
classifiers = {"undefended": undefended}
if not QUICK:
    classifiers["FGSM"] = AdversarialTraining(*digit_networks(), FGSM(EPS))
    classifiers["PGD, this chapter"] = AdversarialTraining(*digit_networks(), growing)
for model in classifiers.values():
    train(model, DIGIT_STEPS, *digits.arrays(), batch_size=100, optimizer=Adam(2e-3))
if not QUICK:
    classifiers["threshold, steep"] = steep(undefended)
    classifiers["threshold, seen"] = thresholded(undefended)
published = keras_gen.load("adversarial_examples_mnist")
classifiers["PGD, published"] = published

attacks = {"PGD": PGD(EPS, steps=3) if QUICK else PGD(EPS, relative_step=1 / 30)}
if not QUICK:
    attacks["FGSM"] = FGSM(EPS)
    attacks["APGD"] = APGD(EPS)
    attacks["APGD, margin"] = APGD(EPS, loss="margin")
    attacks["squares"] = SquareAttack(EPS, queries=QUERIES)
unit = (0.0, 1.0)
table = {}
for name, network in classifiers.items():
    table[name] = robust_accuracy(network, test_images, test_labels, attacks, unit)
columns = list(next(iter(table.values())))
print(" " * 18 + "".join(f"{column:>14}" for column in columns))
for name, row in table.items():
    print(f"{name:18}" + "".join(f"{row[column]:14.3f}" for column in columns))

# %%
shown = test_images[:10]
rows, names = [shown], ["test digits"]
for name in ("undefended", "PGD, published"):
    network = classifiers[name]
    attacked = attacks["PGD"](network, shown, test_labels[:10], unit)
    named = np.argmax(network(attacked), axis=1)
    print(f"{name:16} names its attacked digits {' '.join(map(str, named))}")
    rows.append(np.round(255 * attacked).astype("uint8"))
    rows.append(np.round(127.5 + 127.5 * (attacked - shown / 255)).astype("uint8"))
    names += [f"{name}, attacked", "change"]
print(f"{'':16} right would be             {' '.join(map(str, test_labels[:10]))}")
show(
    captioned(rows, names),
    "attacked",
    "Test digits, the digits after PGD on two networks, and the changes around gray.",
)

# %% [markdown]
# The accuracy of the undefended network and of the network trained with FGSM falls to 0. The
# FGSM-trained network is a typical failure: it withstands only FGSM, with which it was trained,
# although after such short training it is weak without an attack as well. The network has learned
# to make a single long step fail. If we ran only gradient attacks, we would report that the first
# version of the threshold is robust. The attack designed for it and SquareAttack show otherwise.
# Both versions are almost the *same* classifier, so a change that breaks the second version also
# breaks the first. In the last column, the accuracy of the first version is too high, because none
# of the attacks was made for it; the accuracy of the second version is closer to the truth.
#
# Our own PGD training, with dense layers and less than a minute of training, is worse than the
# threshold, which needs no training. MNIST is nearly black and white, so a threshold removes most
# of a change below one half. This simple baseline should accompany every result on MNIST. The
# published network, trained for 49 minutes, is better than our networks and the threshold, even in
# the worst case. In the picture, the changes are clearly visible, because 0.3 is a large epsilon,
# yet each digit remains legible. From the visible size of the changes, one cannot tell that one of
# the two rows changes ten predictions and the other row changes none.
#
# With 100 digits, an accuracy near 0.9 has a standard error of 0.03. More attacks, restarts, and
# queries can only lower the last column.
#
# ## 9. Common claims, and what is true
#
# - **"Adversarial examples exist because networks are so nonlinear."** This was the first
#   explanation. But even linear classifiers in many dimensions have adversarial examples, because
#   of the 1-norm in section 6.
# - **"Gradient reversal makes features the same in both domains."** Gradient reversal only produces
#   features that reveal little to the *current* discriminator. And identically distributed features
#   are not sufficient (section 4).
# - **"The adversary is at chance, so the code is blind."** It only means that this adversary cannot
#   predict the attribute. Test the final code, as it is deployed, with other probes trained from
#   scratch.
# - **"The defense withstands PGD."** Every attack gives an upper bound. Evaluate a defense with the
#   worst of several attacks that know the defense, at least one of them without gradients.
# - **"Robustness always costs accuracy."** In our Gaussian problem, it does. If features are strong
#   enough, robustness costs almost nothing (question 3).
#
# ## Questions
#
# **1.** Let the encoder map every example to the same number. Which terms of the bound in section 2
# are 0, and what does the bound tell us?
#
# <details markdown="1"><summary>Answer</summary>
#
# Only $d$ is 0, because the domains cannot be distinguished. Every classifier is constant, so with
# equally frequent labels, all errors are $1/2$. Hence $\epsilon_S = 1/2$ and $\lambda^* = 1$. The
# bound is $3/2$, which is uninformative. A small $d$ is useful only if the other two terms are also
# small.
#
# </details>
#
# **2.** A model adds normal noise to its codes in training, and its adversary sees the noisy codes.
# The adversary stays at chance. In deployment, the noise is switched off. Is the code blind?
#
# <details markdown="1"><summary>Answer</summary>
#
# Not at all. Suppose that the code is 0 for one value of the attribute and 0.1 for the other, and
# that the noise has standard deviation 1. The best adversary on noisy codes is correct for
# $\Phi(0.05) = 0.52$ of the examples. Without noise, a threshold at 0.05 is correct for all of
# them. Evaluate what is deployed.
#
# </details>
#
# **3.** Change the code: in section 6, give the weak features a mean of 0.3 instead of 0.15. What
# happens to the two accuracies under attack, and to the picture?
#
# <details markdown="1"><summary>Answer</summary>
#
# Write `np.full(200, 0.3)`. An attack of 0.15 now only halves the weak features. So the robust
# classifier keeps these features, weighted by half of their mean. Its accuracy under attack is
# 0.991, and the accuracy of the standard classifier is 0.990: robustness costs almost nothing. In
# the picture, the curves of both classifiers nearly coincide, up to attacks as strong as the weak
# features.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | labels of one domain for another | `DANN`, `DomainConfusion`, `ADDA` | [domain_adaptation_digits](../../recipes/domain_adaptation_digits.py) | USPS accuracy with MNIST labels: DANN 0.662, ADDA 0.796; nearest neighbor on cropped ink 0.8992 | [Ganin et al. 2016](https://arxiv.org/abs/1505.07818), [Tzeng et al. 2017](https://arxiv.org/abs/1702.05464) |
# | codes that do not reveal a color | `ALFR`, `GRAD` | [blind_representations_mnist](../../recipes/blind_representations_mnist.py) | AUC of color 0.5698, without an adversary 0.6381; gray digits 0.5061 | [Edwards, Storkey 2016](https://arxiv.org/abs/1511.05897) |
# | codes that do not reveal a person's sex | `ALFR`, `GRAD`, `VFAE` | [blind_representations_adult](../../recipes/blind_representations_adult.py) | AUC of sex 0.618, without an adversary 0.7871; repaired score 0.5626 | [Louizos et al. 2016](https://arxiv.org/abs/1511.00830) |
# | attacks, and adversarial training | `AdversarialTraining` | [adversarial_examples_mnist](../../recipes/adversarial_examples_mnist.py) | worst-case accuracy 0.8880, paper 0.893; pixel threshold 0.6240 | [Madry et al. 2018](https://arxiv.org/abs/1706.06083) |
# | attacks that need no labels | `VAT` | [vat_mnist](../../recipes/vat_mnist.py) | test error 3.5% with 100 labels, paper 1.36; label spreading over HOG 5.410 | [Miyato et al. 2018](https://arxiv.org/abs/1704.03976) |
# | a generative model as a defense | `VAE` | [generative_defense_mnist](../../recipes/generative_defense_mnist.py) | worst-case accuracy 0.147; pixel threshold 0.6840 | [Samangouei et al. 2018](https://arxiv.org/abs/1805.06605) |
