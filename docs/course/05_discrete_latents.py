# %% [markdown]
# # 5. Discrete latents
#
# Some properties are categorical: which digit an image shows, which letter comes next, or which of
# a few hundred small patches is at a position. A latent for such a property has one of $K$ values.
# Then the gradient of [chapter 4](04_vae.md) does not exist, because no slope leads from one
# category to the next.
#
# After this chapter, you can derive four gradients for discrete latents, and state for each whether
# it is unbiased and how large its variance is. You can train autoencoders with categorical latents
# and with a codebook, explain each term of their losses, and count the bits of a code.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on scikit-learn's digits and with
# few steps.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from keras_gen import VQVAE, CodePrior, GumbelVAE
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Images
from keras_gen.data import binarize, offline_digits, small_images
from keras_gen.losses import Bernoulli, Normal, relaxed_codes
from keras_gen.metrics import code_uses, perplexity, squared_error
from keras_gen.networks import (
    gated_pixel_cnn,
    mlp_networks,
    residual_decoder,
    residual_encoder,
    start_at_mean,
)
from keras_gen.workshop.baselines import (
    BernoulliMixture,
    PatchCodebook,
    QuantizedComponents,
    best_n_grams,
)
from keras_gen.workshop.visualize import captioned, line_plot, new_figure, show

QUICK = bool(os.environ.get("QUICK"))
DRAWS = 10_000 if QUICK else 1_000_000  # for numerical checks
STEPS = 40 if QUICK else 4_000  # gradient descent steps on one number
DIGITS = 100 if QUICK else 10_000  # maximum number of training digits
TESTED = 50 if QUICK else 2_000  # maximum number of test digits
EPOCHS = 1 if QUICK else 10  # for each VAE
CLOTHES = 50 if QUICK else 5_000  # maximum number of training clothes
VQ_EPOCHS = 1 if QUICK else 4  # for each VQ-VAE
PRIOR_EPOCHS = 1 if QUICK else 5  # for the prior
VQ_BATCH = 50 if QUICK else 10
K = 64  # codes in a codebook
# Tracing a step takes longer than a few steps do.
WAY = {"run_eagerly": True} if QUICK else {"steps_per_execution": 20}

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. The score function
#
# Let $z$ be 1 with probability $\theta$ and 0 otherwise, and let $f(z)$ be its cost. We want the
# derivative of the mean cost $E f(z) = \theta f(1) + (1 - \theta) f(0)$. The network's output is a
# logit $\phi$ with $\theta = 1 / (1 + e^{-\phi})$, whose slope is $d\theta / d\phi = \theta (1 -
# \theta)$. So the true derivative is
#
# $$\frac{d}{d\phi} E f(z) = \theta (1 - \theta) \left( f(1) - f(0) \right).$$
#
# With one latent, we simply compute this derivative. With 20 latents of 10 values each, the mean
# has $10^{20}$ terms, and we need an estimate from samples. The derivative of a probability is
# $\partial p = p \cdot \partial \log p$, so for any distribution
#
# $$\partial \sum_z p(z) f(z) = \sum_z p(z) f(z) \, \partial \log p(z) = E [ f(z) \, \partial \log p(z) ].$$
#
# This is the **score-function estimator**, also called REINFORCE (Williams 1992). Here $\partial
# \log p(z) / \partial \phi = z - \theta$. The estimator needs only values of $f$, and it is
# unbiased for any $f$. Its price is variance, as in chapter 4. Because the mean of $z - \theta$ is
# 0, we may subtract any number $b$ from the cost, a **baseline**:
#
# $$E [ (f(z) - b) (z - \theta) ] = E [ f(z) (z - \theta) ].$$
#
# How good can a baseline be? The estimate is $(f(1) - b)(1 - \theta)$ or $-(f(0) - b) \theta$. With
# $b = (1 - \theta) f(1) + \theta f(0)$, both are equal: the variance for one binary latent is 0.
# But this $b$ is known only for one latent; from now on, we use the usual baseline, the mean cost
# $b = E f$. With $n$ latents and additive costs, $f = \sum_i f(z_i)$, the costs of all other
# latents are noise in the estimate for $\phi_1$. Let $s = z_1 - \theta$, and let $g$ be the cost of
# the first latent, with mean $\mu$ and variance $v$. Then the mean square of the estimate with
# baseline $E f = n \mu$ is
#
# $$E [ s^2 (g - \mu)^2 ] + (n - 1) v E [ s^2 ],$$
#
# and without a baseline, $(n - 1) v$ becomes $(n - 1) v + (n - 1)^2 \mu^2$, $g - \mu$ becomes $g$,
# and a cross term $2 (n - 1) \mu E[ s^2 g ]$ is added. The variance is the mean square minus the
# squared mean. From here on, the cost is $f(z) = (z - 0.45)^2$.


# %%
C = 0.45


def cost(z):
    return (z - C) ** 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def score_variances(n, theta):
    """Returns variances for n latents: without a baseline, and with the mean cost."""
    p = np.array([1 - theta, theta])
    z = np.array([0.0, 1.0])
    s, g = z - theta, cost(z)
    mean = p @ (s * g)
    mu, v = p @ g, p @ g**2 - (p @ g) ** 2
    s2 = p @ s**2
    rest = (n - 1) * v
    plain = (
        p @ (s * g) ** 2
        + 2 * (n - 1) * mu * (p @ (s**2 * g))
        + s2 * (rest + ((n - 1) * mu) ** 2)
    )
    return plain - mean**2, p @ (s * (g - mu)) ** 2 + s2 * rest - mean**2


THETA = 0.6
truth = THETA * (1 - THETA) * (cost(1) - cost(0))
print(f"true derivative {truth:.4f}")
print("latents    means of estimates     variances: closed form       measured")
for n in (1, 2, 10, 50):
    z = (random.random((DRAWS // 20, n)) < THETA).astype(float)
    f = cost(z).sum(axis=1)
    s = z[:, 0] - THETA
    mean_cost = n * (THETA * cost(1) + (1 - THETA) * cost(0))
    both = f * s, (f - mean_cost) * s
    closed = score_variances(n, THETA)
    print(
        f"{n:7} {both[0].mean():12.4f} {both[1].mean():9.4f}"
        f" {closed[0]:16.5f} {closed[1]:8.5f} {both[0].var():9.5f} {both[1].var():8.5f}"
    )

# %% [markdown]
# With 50 latents, the standard deviation of one estimate is many times the derivative. A baseline
# removes most of this noise, but the remainder still grows with $n$.
#
# ## 2. Straight through, and why it is biased
#
# The second method pretends that sampling has a slope of 1. In the forward pass, compute the cost
# at the sample $z$. In the backward pass, pass the derivative $f'(z)$ on to $\theta$ as if $z$ were
# $\theta$. This is the **straight-through estimator** (Bengio et al. 2013): $f'(z) \theta (1 -
# \theta)$. Its mean is
#
# $$\theta (1 - \theta) \left( \theta f'(1) + (1 - \theta) f'(0) \right).$$
#
# Compare this with the true derivative, which contains the *difference* $f(1) - f(0)$ instead of a
# mean of *slopes*. If $f$ is linear, the two are equal. For $f(z) = (z - c)^2$, the difference is
# $1 - 2c$, and the mean of slopes is $2 \theta - 2 c$. So the bias is
#
# $$\theta (1 - \theta) (2 \theta - 1).$$
#
# With $c = 0.45$, the true derivative is positive for all $\theta$, so the best $\theta$ is 0:
# always choose $z = 0$, at a cost of $0.2025$. The straight-through estimate has mean 0 at $\theta
# = c$. Descent stops at this point, with a cost of $0.45 \cdot 0.3025 + 0.55 \cdot 0.2025 =
# 0.2475$. More samples do not help. The estimate acts as if the decoder could receive a value
# between 0 and 1.
#
# ## 3. The Gumbel-max trick
#
# The third method writes the sample as a function of noise, as chapter 4 did with $\mu + \sigma
# \epsilon$. Use **Gumbel** noise $g = - \log ( - \log u )$ with $u$ uniform between 0 and 1.
# Because $g \le t$ means $u \le \exp(-e^{-t})$, its distribution function is $\exp(-e^{-t})$. Add
# such noise to logits $l_1, \ldots, l_K$, and select the largest. Let $Z = \sum_j e^{l_j}$. Logit
# $k$ wins at height $t$ if $l_k + g_k = t$, which has the density $e^{l_k - t} \exp( -e^{l_k - t}
# )$, and if all other noisy logits are below $t$, each with probability $\exp( -e^{l_j - t} )$. The
# product of these factors is integrated over $t$:
#
# $$P(k \mathrm{\ wins}) = \int e^{l_k - t} \exp( -Z e^{-t} ) dt
# = \frac{e^{l_k}}{Z} \int Z e^{-t} \exp( -Z e^{-t} ) dt = \frac{e^{l_k}}{Z}.$$
#
# (The last integrand is a density, the Gumbel density shifted by $\log Z$.) So the largest noisy
# logit is a sample from the softmax.

# %%
logits = np.array([1.0, 0.0, -1.0])
gumbel = -np.log(-np.log(random.random((DRAWS, 3))))
wins = np.bincount(np.argmax(logits + gumbel, axis=1), minlength=3) / DRAWS
softmax = np.exp(logits) / np.exp(logits).sum()
print("softmax              ", softmax.round(4))
print(
    "largest noisy logits ",
    wins.round(4),
    "±",
    np.sqrt(softmax * (1 - softmax) / DRAWS).round(4),
)

# %% [markdown]
# ## 4. The relaxation
#
# The argmax still has no useful slope. The **Gumbel-softmax** (Jang et al. 2017), or concrete
# distribution (Maddison et al. 2017), replaces the argmax with a softmax with temperature $\tau$:
#
# $$\tilde z = \mathrm{softmax} ( (l + g) / \tau ).$$
#
# As $\tau$ goes to 0, $\tilde z$ becomes the one-hot sample. At any $\tau > 0$, $\tilde z$ is a
# smooth function of the logits. `relaxed_codes` returns the logarithm of $\tilde z$.

# %%
drawn = new_figure(10, 2.6)
noise = gumbel[:2000].astype("float32")
corners = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])
for axes, temperature in zip(drawn.subplots(1, 4), (5.0, 1.0, 0.5, 0.1), strict=True):
    codes = np.exp(relaxed_codes(np.tile(logits, (2000, 1)), noise, temperature))
    colors = np.eye(3)[np.argmax(codes, axis=1)] * 0.8
    axes.scatter(*(codes @ corners).T, s=2, c=colors, linewidths=0)
    axes.plot(*corners[[0, 1, 2, 0]].T, color="black", linewidth=0.8)
    axes.set(aspect="equal", xticks=[], yticks=[], title=f"temperature {temperature:g}")
    for name, corner in zip(("1", "2", "3"), corners, strict=True):
        axes.annotate(
            name, corner + (corner - corners.mean(axis=0)) * 0.13, ha="center", va="center"
        )
    axes.set(xlim=(-0.15, 1.15), ylim=(-0.1, 1.0))
    axes.axis("off")
show(
    drawn,
    "relaxed",
    "Relaxed codes of three classes. Corners are one-hot; colors show the class of the hard sample.",
)

# %% [markdown]
# With two classes, only the difference between two Gumbel variables matters. This difference is $L
# = \log u - \log (1 - u)$, and $\tilde z = \mathrm{sigmoid}((\phi + L) / \tau)$ with the slope
# $\tilde z (1 - \tilde z) / \tau$. So we know the relaxed estimate, $f'(\tilde z)$ times this
# slope, for each $u$, and its mean and variance are integrals over $u$. Its mean is the exact
# derivative of $E f(\tilde z)$. But $E f(\tilde z)$ is a different function from $E f(z)$. A fourth
# method uses the hard $z$ in the forward pass and the slope of $\tilde z$ in the backward pass: the
# **straight-through Gumbel-softmax**.

# %%
u = (np.arange(DRAWS // 10) + 0.5) / (DRAWS // 10)
logistic = np.log(u) - np.log(1 - u)


def slope_of_cost(z):
    return 2 * (z - C)


def estimates(kind, phi, temperature=None):
    """Returns estimates of the derivative for all u; their mean is an integral."""
    theta = sigmoid(phi)
    hard = (phi + logistic > 0).astype(float)
    if kind == "score function":
        return cost(hard) * (hard - theta)
    if kind == "straight through":
        return slope_of_cost(hard) * theta * (1 - theta)
    soft = sigmoid((phi + logistic) / temperature)
    at = soft if kind == "relaxed" else hard
    return slope_of_cost(at) * soft * (1 - soft) / temperature


phi = np.log(THETA / (1 - THETA))
print(f"theta {THETA}, true derivative {truth:.4f}")
print("estimator                               mean      bias   deviation")
rows = [("score function", None), ("straight through", None)]
rows += [("relaxed", t) for t in (2.0, 1.0, 0.5, 0.1)]
rows += [("straight-through Gumbel-softmax", t) for t in (1.0, 0.1)]
for kind, temperature in rows:
    found = estimates(kind, phi, temperature)
    name = kind if temperature is None else f"{kind}, {temperature:g}"
    print(f"{name:36} {found.mean():8.4f} {found.mean() - truth:9.4f} {found.std():9.4f}")

thetas = np.linspace(0.02, 0.98, 49)
temperatures = np.geomspace(0.03, 3, 25)
drawn = new_figure(10.5, 4)
left, right = drawn.subplots(1, 2)
left.plot(thetas, thetas * (1 - thetas) * (cost(1) - cost(0)), color="black", label="true")
for kind, temperature in (
    ("straight through", None),
    ("relaxed", 1.0),
    ("relaxed", 0.3),
    ("relaxed", 0.1),
):
    means = [estimates(kind, np.log(t / (1 - t)), temperature).mean() for t in thetas]
    left.plot(thetas, means, label=kind if temperature is None else f"{kind}, {temperature:g}")
left.axhline(0, color="gray", linewidth=0.5)
left.set(xlabel="theta", ylabel="mean of the estimate")
left.legend()
found = [estimates("relaxed", phi, temperature) for temperature in temperatures]
right.plot(temperatures, [abs(each.mean() - truth) for each in found], label="relaxed: |bias|")
right.plot(temperatures, [each.std() for each in found], label="relaxed: deviation")
score = estimates("score function", phi)
right.axhline(score.std(), color="tab:green", linestyle="--", label="score function: deviation")
through = estimates("straight through", phi)
right.axhline(
    abs(through.mean() - truth), color="tab:red", linestyle=":", label="straight through: |bias|"
)
right.set(
    xscale="log", yscale="log", xlabel="temperature", ylabel="bias or deviation, theta = 0.6"
)
right.legend()
show(
    drawn,
    "estimators",
    "Left: means of the estimates. Right: the lower the temperature, the larger their variance.",
)

# %% [markdown]
# Where a curve in the left panel is negative, descent increases $\theta$, away from the optimum.
# The straight-through curve crosses 0 at $\theta = 0.45$, and the curve of temperature 1 at 0.37.
# Low temperatures follow the true derivative for longer, although the curve for temperature 0.1
# also has the wrong sign at its left end, and the variance is even larger than for the score
# function. (The dip in the right panel is not an advantage of temperature 1.4: the bias only
# changes its sign there.) Descent shows both effects. Each step uses one sample.

# %%
runs = {
    "score function": ("score function", None, 0.0),
    "with baseline": ("score function", None, None),
    "straight through": ("straight through", None, 0.0),
    "relaxed, 1": ("relaxed", 1.0, 0.0),
    "relaxed, 0.1": ("relaxed", 0.1, 0.0),
}
drawn = new_figure(7.5, 4.2)
axes = drawn.subplots()
print("last quarter of steps   theta   mean cost (the best is 0.2025)")
for name, (kind, temperature, baseline) in runs.items():
    phi_now, path, mean_cost = 0.0, [], 0.25
    noise = random.logistic(size=STEPS)
    for step in range(STEPS):
        theta = sigmoid(phi_now)
        path.append(theta)
        hard = float(phi_now + noise[step] > 0)
        if kind == "score function":
            b = mean_cost if baseline is None else 0.0
            gradient = (cost(hard) - b) * (hard - theta)
            mean_cost += 0.1 * (cost(hard) - mean_cost)  # for the last samples
        elif kind == "straight through":
            gradient = slope_of_cost(hard) * theta * (1 - theta)
        else:
            soft = sigmoid((phi_now + noise[step]) / temperature)
            gradient = slope_of_cost(soft) * soft * (1 - soft) / temperature
        phi_now -= 0.2 * gradient
    axes.plot(path, label=name, linewidth=1)
    end = np.mean(path[-STEPS // 4 :])
    print(f"{name:22} {end:9.3f} {end * cost(1) + (1 - end) * cost(0):11.4f}")
axes.set(xlabel="step", ylabel="theta", ylim=(0, 1))
axes.legend()
show(
    drawn,
    "descent",
    "Descent with one sample per step. The best theta is 0; two estimators stop elsewhere.",
)

# %% [markdown]
# The score function finds the optimum, and with a baseline, its path is almost free of noise.
# Straight-through and temperature 1 stay where their *mean* estimates are 0, however long they run.
# Temperature 0.1 comes close to the optimum but does not stay there.
#
# ## 5. A VAE with categorical latents
#
# Now for images: 20 latents with 10 values each. The encoder returns logits, and $q(z \mid x)$ is
# their softmax. The prior is uniform. The bound of chapter 4 keeps its form, and its divergence is
# exact, $\sum_k q_k \log (q_k K)$ for each latent: $\log K$ minus the entropy. Only the gradient of
# the reconstruction is estimated.
#
# Here are both training methods. The first method decodes relaxed codes. The second method decodes
# hard codes, and its loss is designed so that its *gradient* is the score-function estimate, with
# the mean over the batch as the baseline. (The mean includes the image itself, which makes the
# gradient smaller by a hundredth.)

# %%
VARIABLES, CLASSES, TEMPERATURE = 20, 10, 0.5


class PlainGumbelVAE(GenerativeModel):
    """The encoder's outputs are logits `[batch, variables, classes]`."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.edges["x"] = Images((28, 28, 1), low=0.0, high=1.0)

    def loss_weights(self):
        return {"reconstruction": 1.0, "kl": 1.0}

    def terms_of(self, codes, logits, x):
        log_q = tf.nn.log_softmax(logits)
        divergences = tf.exp(log_q) * (log_q + np.log(CLASSES))
        return {
            "reconstruction": -Bernoulli().log_prob(self.decoder(codes, training=True), x),
            "kl": tf.reduce_sum(divergences, axis=(1, 2)),
        }

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def negative_bound():
            logits = self.encoder(x, training=True)
            noise = self.gumbel("latents", tf.shape(logits))
            codes = tf.nn.softmax((logits + noise) / TEMPERATURE)
            terms = self.terms_of(codes, logits, x)
            return self.weighted(terms), terms

        loss, terms = self.minimize(negative_bound)
        return self.report(terms, loss=loss)


class ScoreFunctionVAE(PlainGumbelVAE):
    """Like `PlainGumbelVAE`, but with hard codes and the score-function gradient."""

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def surrogate():
            logits = self.encoder(x, training=True)
            noise = self.gumbel("latents", tf.shape(logits))
            codes = tf.one_hot(tf.argmax(logits + noise, axis=-1), CLASSES)
            terms = self.terms_of(codes, logits, x)
            cost = terms["reconstruction"]
            log_q_of_codes = tf.reduce_sum(codes * tf.nn.log_softmax(logits), axis=(1, 2))
            above = tf.stop_gradient(cost - tf.reduce_mean(cost))
            return self.weighted(terms) + above * log_q_of_codes, terms

        loss, terms = self.minimize(surrogate)
        return self.report(terms, loss=loss)


# %%
if QUICK:
    sources = offline_digits(labels=False)
    digits, test_source = sources["train"], sources["test"]
else:
    data = small_images("mnist")
    print(data.warning or "the digits of MNIST")
    digits, test_source = data.train, data.test
held_out = min(1_000, len(digits) // 5)
train_digits = digits.take(min(DIGITS, len(digits) - held_out)).arrays(0, binarize)
validation_digits = digits.select(slice(-held_out, None)).arrays(0, binarize)
test_digits = test_source.take(TESTED).arrays(0, binarize)


def networks():
    keras.utils.set_random_seed(0)
    encoder, decoder = mlp_networks(
        latent_dim=(VARIABLES, CLASSES), hidden=(200,), activation="relu"
    )
    start_at_mean(decoder, train_digits)
    return encoder, decoder


def of_class(encoder, decoder):
    """Returns the library's model with these networks, for scores of hard codes."""
    model = GumbelVAE(encoder, decoder, temperature=TEMPERATURE)
    model.compile(Adam(2e-3), **WAY)
    return model


plain = PlainGumbelVAE(*networks())
scored = ScoreFunctionVAE(*networks())
through = GumbelVAE(*networks(), temperature=TEMPERATURE, straight_through=True)
trainings = {"score function": scored, "relaxed": plain, "straight-through Gumbel": through}
judges, curves = {}, {}
for name, model in trainings.items():
    model.compile(Adam(2e-3), **WAY)
    judges[name] = of_class(model.encoder, model.decoder)
    bounds = []
    for _ in range(EPOCHS):
        model.fit(train_digits, batch_size=100, epochs=1, verbose=0)
        found = judges[name].evaluate(
            validation_digits, batch_size=100, return_dict=True, verbose=0
        )
        bounds.append(-found["elbo"])
    curves[name] = list(range(1, EPOCHS + 1)), bounds

both = [
    model.evaluate(test_digits, batch_size=100, return_dict=True, verbose=0)["loss"]
    for model in (plain, judges["relaxed"])
]
print(f"relaxed loss of test digits by PlainGumbelVAE {both[0]:.3f}, by GumbelVAE {both[1]:.3f}")
show(
    line_plot(curves, "epoch", "negative bound of hard codes, nats"),
    "training",
    "The bound of held-out digits with hard codes, for three gradients of the same networks.",
)

# %% [markdown]
# How good are simple models? We use a table with the mean of each pixel, and a **Bernoulli
# mixture**. The mixture is a model with *one* latent with 100 values. For this model, the sum over
# values is easy to compute, and none of the estimates above is needed: it is trained with exact
# posteriors (question 1 of [chapter 3](03_latent_variables.md)).

# %%
mean = np.clip(train_digits.mean(axis=0), 1e-3, 1 - 1e-3)
independent = -np.sum(np.where(test_digits > 0, np.log(mean), np.log1p(-mean)), axis=(1, 2, 3))
components = 10 if QUICK else 100
mixture = BernoulliMixture(train_digits, components, iterations=5 if QUICK else 20)
print("negative bound of a test digit, nats")
print(f"{'pixels for themselves':24} {independent.mean():6.1f}, exact")
print(f"{'mixture':24} {-mixture.log_prob(test_digits).mean():6.1f}, exact")
rows, names = [255 * test_digits[:12]], ["test digits"]
for name, judge in judges.items():
    found = judge.evaluate(test_digits, batch_size=100, return_dict=True, verbose=0)
    print(
        f"{name:24} {-found['elbo']:6.1f}, of it {found['kl_loss']:.1f} nats or"
        f" {found['kl_loss'] / np.log(2):.1f} bits of codes"
    )
    rows.append(judge.reconstruct((255 * test_digits[:12]).astype("uint8")))
    names.append(name)
show(
    captioned([row.astype("uint8") for row in rows], names),
    "digits",
    "Test digits, and their reconstructions from 20 hard codes.",
)

# %% [markdown]
# All methods use the same networks. But the score function needs the whole training run to reach
# the bound that the relaxed codes reach after a few epochs, and it remains worse than the mixture,
# which has no network. The score function's gradient is unbiased, but the gradient of each batch is
# far from the average, because 20 latents share one cost. Known remedies are a baseline for each
# image, and several samples. The relaxed and the straight-through gradients are biased, yet better:
# they beat the mixture, if only by a few nats. Their bounds are valid, because they are computed
# with hard codes: the *relaxed* loss of the same type of model, 129.0 above, is lower by about nine
# nats, and is not a bound here. (All methods use the same seed and learning rate. Not all curves
# are flat at the end, so longer training might change the values.)
#
# The divergence is the cost of the code under the uniform prior. It is far below $20 \log_2 10 =
# 66$ bits, because the encoder is uncertain about most latents.
#
# ## 6. A codebook
#
# The **VQ-VAE** (van den Oord et al. 2017) does not use any noise. Its encoder returns a vector $z$
# for each position of the image, and a **codebook** contains vectors $e_1, \ldots, e_K$. The code
# is the index $k$ of the nearest $e_k$, and the decoder receives this $e_k$. So $q(k \mid x)$ is 1
# for one $k$. With a uniform prior, the divergence is $\log K$ for each code, a constant that
# training cannot change. The rest of the bound is the reconstruction, $\log p(x \mid e_k)$. The
# loss has three terms:
#
# $$- \log p(x \mid e_k) + | \mathrm{sg}(z) - e_k |^2 + \beta | z - \mathrm{sg}(e_k) |^2,$$
#
# where $\mathrm{sg}$ stops gradients. Why three?
#
# - **Reconstruction.** The gradient at $e_k$ is copied to $z$, straight through: in the forward
#   pass, $z + \mathrm{sg}(e_k - z)$ is $e_k$, and in the backward pass, it is $z$. So the encoder
#   and the decoder learn. But the codebook gets *no* gradient from this term.
# - **Codebook.** The second term moves codes. Its gradient for $e_k$ is $2 \sum (e_k - z)$ over the
#   vectors assigned to $e_k$, which is 0 at their mean. This is **k-means**: assign each vector to
#   the nearest code, and move each code to the mean of its vectors. So a moving average of the
#   vectors can replace this term.
# - **Commitment.** Nothing so far keeps $z$ near its code, and the copied gradient is only accurate
#   if $z \approx e_k$. The third term pulls $z$ toward the code.
#
# ![Each vector of the encoder is replaced with the nearest entry of the codebook, which the decoder receives. A dashed arrow shows that the gradient is copied from the entry to the encoder's vector.](diagrams/05_vq_vae.svg)
#
# *VQ-VAE with the sizes of section 8. Solid: the forward pass. Dashed: the gradient, which skips
# the codebook.*
#
# We check where the gradients go, with three codes and six vectors in the plane, and a "decoder"
# that has the loss $| e - t |^2$ for a target $t$.

# %%
table = tf.Variable(random.normal(size=(3, 2)))
z = tf.Variable(random.normal(size=(6, 2)))
target = random.normal(size=(6, 2))
BETA = 0.25
with tf.GradientTape(persistent=True) as tape:
    nearest = tf.argmin(tf.reduce_sum((z[:, None] - table) ** 2, axis=-1), axis=-1)
    e = tf.gather(table, nearest)
    passed = z + tf.stop_gradient(e - z)
    reconstruction = tf.reduce_sum((passed - target) ** 2)
    codebook = tf.reduce_sum((tf.stop_gradient(z) - e) ** 2)
    commitment = tf.reduce_sum((z - tf.stop_gradient(e)) ** 2)
    loss = reconstruction + codebook + BETA * commitment
print("reconstruction's gradient for the codebook:", tape.gradient(reconstruction, table))
by_hand = 2 * (e - target) + 2 * BETA * (z - e)
print(
    f"vectors: largest difference from the copy + 2 beta (z - e): "
    f"{np.abs(tape.gradient(loss, z) - by_hand).max():.0e}"
)
of_codes = tf.convert_to_tensor(tape.gradient(loss, table))
for k in range(3):
    mine = z.numpy()[nearest.numpy() == k]
    means = 2 * len(mine) * (table[k].numpy() - mine.mean(axis=0)) if len(mine) else np.zeros(2)
    print(
        f"code {k}: chosen {len(mine)} times, gradient {of_codes[k].numpy().round(3)},"
        f" 2 n (e - mean) {means.round(3)}"
    )

# %% [markdown]
# ## 7. Dead codes
#
# A code to which no vector is assigned gets no gradient, so it stays in place, and remains unused
# unless the vectors come to it: it is **dead**. This is common, because codebooks start with small
# numbers, and vectors are elsewhere. Here, points on a ring represent vectors, and 32 codes start
# near the center. We use k-means steps on batches. The remedy is to **restart** unused codes at
# vectors in the batch.


# %%
def moved_codes(restart, steps=5 if QUICK else 200):
    """Returns codes after k-means steps on batches of points on a ring."""
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(32, 2)) * 0.1 + [0.3, 0]
    for _ in range(steps):
        points = ring(rng, 256)
        nearest = np.argmin(np.sum((points[:, None] - codes) ** 2, axis=-1), axis=1)
        uses = np.bincount(nearest, minlength=32)
        sums = np.stack([np.bincount(nearest, points[:, i], 32) for i in range(2)], axis=1)
        used = uses > 0
        codes[used] += 0.3 * (sums[used] / uses[used, None] - codes[used])
        if restart:
            codes[~used] = points[rng.integers(256, size=np.sum(~used))]
    return codes


def ring(rng, n):
    angle = rng.uniform(0, 2 * np.pi, n)
    return (1 + 0.1 * rng.normal(size=(n, 1))) * np.stack([np.cos(angle), np.sin(angle)], axis=1)


drawn = new_figure(9, 4.2)
points = ring(random, 3000)
for axes, restart in zip(drawn.subplots(1, 2), (False, True), strict=True):
    codes = moved_codes(restart)
    squares = np.sum((points[:, None] - codes) ** 2, axis=-1)
    uses = np.bincount(np.argmin(squares, axis=1), minlength=32)
    told = f"{np.sum(uses > 0)} of 32 codes in use, perplexity {perplexity(uses):.1f}"
    print(f"restarts {restart!s:5}: {told}, squared distance {squares.min(axis=1).mean():.4f}")
    axes.scatter(*points.T, s=2, color="silver", linewidths=0)
    axes.scatter(*codes[uses > 0].T, s=30, color="tab:blue", label="in use")
    axes.scatter(*codes[uses == 0].T, s=30, marker="x", color="tab:red", label="dead")
    axes.set(aspect="equal", xlabel="dimension 1", ylabel="dimension 2")
    axes.set_title("with restarts" if restart else "without restarts")
drawn.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
show(
    drawn, "dead_codes", "Points of a ring, and 32 codes after 200 steps of k-means on batches."
)

# %% [markdown]
# The **perplexity** measures how many codes are used, and how evenly: it is $\exp$ of the entropy
# of their frequencies, $K$ for even use and 1 for a single code.
#
# ## 8. VQ-VAE in code
#
# The codebook is a network from indices to vectors, an embedding. Images are clothes from
# Fashion-MNIST. The encoder returns vectors of 8 numbers at $7 \times 7$ positions, and there are
# 64 codes, so an image is 49 indices of 6 bits.
#
# The paper's $\beta$ of 0.25 is for losses that are means over all values. Here, the reconstruction
# is a sum over 784 pixels, and the commitment is a sum over the 8 numbers of a vector. If means are
# converted to sums, $\beta$ becomes $0.25 \cdot 784 / 8$, about 25. (The balance also depends on
# the scale of the reconstruction loss, as the paper notes, so this is a starting point, not a
# rule.) With a much smaller weight, vectors drift away from their codes.


# %%
class PlainVQVAE(GenerativeModel):
    """The codebook maps integers below K to vectors."""

    def __init__(self, encoder, decoder, codebook, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.codebook = codebook
        self.edges["x"] = Images((28, 28, 1), low=-1.0, high=1.0)

    def loss_weights(self):
        return {"reconstruction": 1.0, "codebook": 1.0, "commitment": COMMITMENT}

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def loss():
            z = self.encoder(x, training=True)
            table = self.codebook(tf.range(K))
            squares = tf.reduce_sum((z[..., None, :] - table) ** 2, axis=-1)  # [batch, 7, 7, K]
            e = tf.gather(table, tf.argmin(squares, axis=-1))
            passed = z + tf.stop_gradient(e - z)
            moved = tf.reduce_sum((tf.stop_gradient(z) - e) ** 2, axis=-1)
            committed = tf.reduce_sum((z - tf.stop_gradient(e)) ** 2, axis=-1)
            terms = {
                "reconstruction": -LIKELIHOOD.log_prob(self.decoder(passed, training=True), x),
                "codebook": tf.reduce_mean(moved, axis=(1, 2)),
                "commitment": tf.reduce_mean(committed, axis=(1, 2)),
            }
            return self.weighted(terms), terms

        total, terms = self.minimize(loss)
        return self.report(terms, loss=total)


LIKELIHOOD = Normal(0.3)
COMMITMENT = 25.0
if QUICK:
    clothes, test_source = sources["train"], sources["test"]
else:
    data = small_images("fashion_mnist")
    print(data.warning or "the clothes of Fashion-MNIST")
    clothes, test_source = data.train, data.test
held_out = min(1_000, len(clothes) // 5)
train_clothes = clothes.take(min(CLOTHES, len(clothes) - held_out)).arrays()
validation_clothes = clothes.select(slice(-held_out, None)).arrays()
test_clothes = test_source.take(TESTED).arrays()


def vq_networks():
    keras.utils.set_random_seed(0)
    sizes = dict(latent_dim=8, filters=16, residual_filters=16, blocks=1)
    return residual_encoder((28, 28, 1), **sizes), residual_decoder((28, 28, 1), **sizes)


def trained(model):
    model.compile(Adam(CosineDecay(3e-3, VQ_EPOCHS * len(train_clothes) // VQ_BATCH)), **WAY)
    model.fit(train_clothes, batch_size=VQ_BATCH, epochs=VQ_EPOCHS, verbose=0)
    return model


start = keras.initializers.RandomUniform(-1 / K, 1 / K)
embedding = keras.Sequential(
    [keras.Input((), dtype="int32"), keras.layers.Embedding(K, 8, embeddings_initializer=start)]
)
plain_vq = trained(PlainVQVAE(*vq_networks(), embedding))
models = {
    "loss, no restarts": VQVAE(
        plain_vq.encoder,
        plain_vq.decoder,
        LIKELIHOOD,
        K,
        COMMITMENT,
        codebook_update="loss",
        dead_after=None,
    )
}
models["loss, no restarts"].quantizer.codebook.assign(embedding.get_weights()[0])
models["loss, no restarts"].compile("adam", **WAY)
both = [
    model.evaluate(test_clothes, batch_size=100, return_dict=True, verbose=0)["loss"]
    for model in (plain_vq, models["loss, no restarts"])
]
print(f"loss of test images by PlainVQVAE {both[0]:.3f}, by VQVAE {both[1]:.3f}")
models["averages, restarts"] = trained(VQVAE(*vq_networks(), LIKELIHOOD, K, COMMITMENT))
if not QUICK:
    options = dict(codebook_update="loss", dead_after=None)
    models["loss, beta 0.25"] = trained(VQVAE(*vq_networks(), LIKELIHOOD, K, BETA, **options))

# %% [markdown]
# The class `VQVAE` has the same step with `codebook_update="loss"` and `dead_after=None`. By
# default, it uses moving averages and restarts codes. We compare `VQVAE` with two codes that need
# no network and have the same number of bits: **k-means on patches** has a codebook of 64 patches
# with $4 \times 4$ pixels, and **principal components** are rounded, where each bit goes to the
# component whose error it reduces most.

# %%
bits = round(49 * np.log2(K))
others = {
    "k-means of patches": PatchCodebook(train_clothes, 4, min(K, len(train_clothes)), 0),
    "principal components": QuantizedComponents(train_clothes, bits),
}
rows, names = [test_clothes[:12]], ["test images"]
print(f"{bits} bits for an image             squared error   codes in use   perplexity")
for name, model in (models | others).items():
    made = model.reconstruct(test_clothes)
    rows.append(made[:12])
    names.append(name)
    used = ""
    if name != "principal components":
        uses = code_uses(model.encode(test_clothes), K)
        used = f"{np.sum(uses > 0):13} {perplexity(uses):12.1f}"
    print(f"{name:30} {squared_error(made, test_clothes).mean():16.2f} {used}")
show(
    captioned(rows, names),
    "clothes",
    f"Test images, and what {bits} bits preserve with each of four codes.",
)

# %% [markdown]
# With a commitment weight of 25, moving averages with restarts use all codes, and training the
# codebook with the loss uses most or all of them; their errors differ little. With 0.25 and no
# restarts, only a few of the 64 codes are used, and the error is much larger: the other codes are
# dead, as in section 7, whereas with a weight of 25, the same initial codebook leaves few dead
# codes.
#
# But all three VQ-VAEs have larger errors than the codes without a network. K-means on patches
# shows blocks, principal components show ripples, and the VQ-VAE blurs. Our VQ-VAE was trained for
# only a few seconds. In the published run on photographs, it reaches 25.3 dB, ahead of k-means on
# patches (23.0 dB) and of rounded principal components (25.0 dB), but 0.1 dB behind principal
# components with an entropy code (25.4 dB).
#
# **VQGAN** (Esser et al. 2021) keeps the codes and changes what counts as a good reconstruction
# $\hat x$. Squared errors of pixels are replaced or complemented by distances between the features of
# a trained network, which tolerate a shifted texture, and a discriminator $D$ judges patches:
#
# $$L = L_{rec} + L_{codes} + \lambda L_{adv}, \qquad L_{adv} = -D(\hat x), \qquad
# \lambda = \frac{|\nabla L_{rec}|}{|\nabla L_{adv}| + \delta},$$
#
# with both gradients with respect to the last layer of the decoder, and a small $\delta$. The weight
# $\lambda$ makes both gradients equally long there, so neither loss dominates as training proceeds.
# The codes no longer have to describe textures that the decoder can invent, so fewer codes suffice,
# and a transformer that predicts one code after another (section 9) becomes feasible for large
# images. In our published run on CIFAR-10 with the same number of bits, the kernel distance falls
# from 0.66 for the VQ-VAE to 0.21, and the PSNR from 24.7 to 23.7 dB, as chapter 11 predicts for an
# adversarial loss. K-means on patches has a distance of 0.14. Samples from the prior show no
# recognizable objects.
#
# The same codes work for sounds. The decoder is then a **WaveNet** (van den Oord et al. 2016), which
# predicts each value of the waveform from earlier values and the codes. Its convolutions are causal
# and *dilated*: with kernels of size 2 and dilations $1, 2, 4, \ldots$, $L$ layers see $2^L$ values.
# If the decoder also receives the speaker, the codes need not describe the voice, and decoding the
# codes of one speaker with the label of another is **voice conversion**.
#
# ## 9. The rate, and a prior over the codes
#
# How many bits does a code need? With a uniform prior, it needs $\log_2 K = 6$ bits. But codes are
# not equally frequent, and neighbors are related. Let $p(k)$ be any distribution over grids of
# codes. An arithmetic coder needs $-\log_2 p(k)$ bits for a grid, plus up to two bits for the whole
# file. So a better prior gives shorter codes for the same images. The mean of $-\log_2 p$ over
# codes with the true distribution $q$ is the entropy of $q$ plus the divergence $\mathrm{KL}(q,
# p)$, so it is never below the entropy.
#
# The bound has this term, too. Because $q(k \mid x)$ is 1 at the code of $x$, $\log p(x) \ge \log
# p(x \mid k) + \log p(k)$. A trained prior now replaces $\log p(k) = -49 \log K$. And this prior is
# the *generator*: sample codes from it, and decode them.
#
# We compare four priors: uniform; the frequency of each code; **n-grams**, which use counts to
# predict a code from the preceding codes in reading order; and `CodePrior`, a PixelCNN that
# predicts each code from all preceding codes ([chapter 7](07_autoregressive.md) derives it). A last
# row shows n-grams on the codes of k-means on patches.

# %%
coder = models["averages, restarts"]
grids = {
    "train": coder.encode(train_clothes),
    "held out": coder.encode(validation_clothes),
    "test": coder.encode(test_clothes),
}
rows_of = {name: codes.reshape(len(codes), -1) for name, codes in grids.items()}
patches = {
    "train": others["k-means of patches"].encode(train_clothes).reshape(-1, 49),
    "held out": others["k-means of patches"].encode(validation_clothes).reshape(-1, 49),
    "test": others["k-means of patches"].encode(test_clothes).reshape(-1, 49),
}
uses = code_uses(grids["train"], K) + 0.5
frequencies = uses / uses.sum()
n_grams = best_n_grams(rows_of["train"], rows_of["held out"], (2, 3, 4), K)
of_patches = best_n_grams(patches["train"], patches["held out"], (2, 3, 4), K)
keras.utils.set_random_seed(0)
network = gated_pixel_cnn(
    (7, 7, 1),
    K,
    filters=8 if QUICK else 32,
    blocks=1 if QUICK else 2,
    first_kernel=5,
    kernel=3,
    levels=K,
    unordered=True,
)
prior = CodePrior(network, coder)
prior.compile(Adam(CosineDecay(3e-3, PRIOR_EPOCHS * len(train_clothes) // 25)), **WAY)
prior.fit(train_clothes, batch_size=25, epochs=PRIOR_EPOCHS, verbose=0)

nats = {
    "uniform": 49 * np.log(K),
    "frequencies": -np.log(frequencies)[rows_of["test"]].sum(axis=1).mean(),
    f"n-grams of {n_grams.order} codes": -n_grams.log_prob(rows_of["test"]).mean(),
    "PixelCNN": -prior.log_prob(grids["test"]).mean(),
    "n-grams, k-means": -of_patches.log_prob(patches["test"]).mean(),
}
print("prior                 bits of a code   bits of an image")
for name, value in nats.items():
    print(f"{name:20} {value / 49 / np.log(2):15.2f} {value / np.log(2):18.1f}")

# %%
shown = 12
uniform_codes = random.integers(K, size=(shown, 7, 7))
frequent_codes = random.choice(K, p=frequencies, size=(shown, 7, 7))
values = np.zeros((shown, 7, 7, 1), "int32")
predicted = tf.function(network)
for row in range(7):
    for column in range(7):
        logits = predicted(tf.constant(values)).numpy()[:, row, column]
        values[:, row, column, 0] = np.argmax(logits + random.gumbel(size=logits.shape), axis=-1)
rows = [
    test_clothes[:shown],
    coder.decode(uniform_codes.astype("int32")),
    coder.decode(frequent_codes.astype("int32")),
    coder.decode(values[..., 0]),
]
show(
    captioned(rows, ["test images", "uniform codes", "by frequency", "PixelCNN"]),
    "samples",
    "Decoded codes, sampled from three priors: the prior generates the images.",
)

# %% [markdown]
# The decoder is the same in all three rows. Codes sampled independently give patches that do not
# fit together. The PixelCNN's patches do fit together, and some form clothes. The PixelCNN also
# reduces the number of bits by more than half, from 294 to 131, without changing the images. As a
# way to store clothes, k-means on patches with n-grams needs nearly as few bits, 139, and has the
# smaller error.
#
# ## 10. Common claims, and what is true
#
# - **"Straight-through is an approximation of the gradient."** It is an estimate of a different
#   vector, and more samples do not help (section 2). In a VQ-VAE, it works to the extent that the
#   commitment term keeps $z$ near $e_k$, where the decoder is nearly linear.
# - **"The Gumbel-softmax is exact at low temperatures."** Its bias goes to 0, but its variance
#   grows without bound. The temperature trades bias for variance.
# - **"The Gumbel-softmax VAE maximizes a bound."** Its training loss combines *relaxed* codes with
#   the divergence of hard codes. The loss is not a bound for the model with hard codes, and is a
#   bound for the relaxed model only with the divergence of relaxed codes (Maddison et al. 2017).
#   Report the bound for hard codes, as in section 5.
# - **"A VQ-VAE has no KL term."** The KL term is $\log K$ for each code, here $49 \log 64 = 204$
#   nats in total. It is constant in training, but must be included in a likelihood.
# - **"A VQ-VAE generates images."** Its decoder turns codes into images. The generator is the prior
#   (section 9).
#
# ## Questions
#
# **1.** Let the cost be linear, $f(z) = a z$, with one binary latent. Which of the estimators of
# section 4 are unbiased?
#
# <details markdown="1"><summary>Answer</summary>
#
# The score function is unbiased, as always. Straight-through is also unbiased: $f'(z) = a$, so the
# mean of the estimate is $a \theta (1 - \theta)$, the true derivative. The relaxed estimate is $a$
# times the slope of $\tilde z$, so its mean is $a$ times the derivative of $E \tilde z$. But the
# mean of $\tilde z$ is not $\theta$. At $\theta = 0.6$ and temperature 1, the mean of the relaxed
# estimate is $0.164 a$ instead of $0.24 a$. The straight-through Gumbel-softmax has the same mean,
# because it uses the same slope.
#
# </details>
#
# **2.** Someone doubles $K$ and claims that each image now needs 49 more bits. All new codes are
# dead. How many more bits does an image need under the four priors of section 9?
#
# <details markdown="1"><summary>Answer</summary>
#
# Under the uniform prior, an image needs 49 more bits, one per code. The other priors assign almost
# no probability to codes that never occur, so an image needs nearly the same number of bits as
# before. The images do not change, either. So count bits under a prior fitted to the codes, or
# check the perplexity, before you compare two codebooks.
#
# </details>
#
# **3.** Change the code: in section 1, set `C = 0.3`. Where do the curves in the descent picture
# end now, and why?
#
# <details markdown="1"><summary>Answer</summary>
#
# The best $\theta$ is still 0, with cost 0.09. Straight-through now stays around $\theta = 0.3$,
# where its mean is 0, at a cost of $0.3 \cdot 0.49 + 0.7 \cdot 0.09 = 0.21$. At temperature 1, the
# mean estimate is 0 at $\theta = 0.1$. The score function goes to 0 as before, and faster: the true
# derivative is $0.4 \theta (1 - \theta)$ instead of $0.1 \theta (1 - \theta)$.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | categorical latents | `GumbelVAE` | [gumbel_vae_mnist](../../recipes/gumbel_vae_mnist.py) | 102.40 nats with 20 latents with 10 classes, paper 101.5; boosted trees 91.83 | [Jang et al. 2017](https://arxiv.org/abs/1611.01144), [Maddison et al. 2017](https://arxiv.org/abs/1611.00712) |
# | a codebook | `VQVAE` | [vq_vae_cifar10](../../recipes/vq_vae_cifar10.py) | 25.28 dB; principal components, entropy-coded, 25.40 | [van den Oord et al. 2017](https://arxiv.org/abs/1711.00937) |
# | two levels of codes | `VQVAE2` | [vq_vae_2_celeb_a](../../recipes/vq_vae_2_celeb_a.py) | 27.53 dB; principal components, entropy-coded, 29.33 | [Razavi et al. 2019](https://arxiv.org/abs/1906.00446) |
# | an adversary for the decoder | `VQGAN` | [vq_gan_cifar10](../../recipes/vq_gan_cifar10.py) | kernel distance 0.2110, VQ-VAE 0.6611; k-means on patches 0.1413 | [Esser et al. 2021](https://arxiv.org/abs/2012.09841) |
# | codes of speech | `ConditionalVQVAE` | [vq_vae_spoken_digit](../../recipes/vq_vae_spoken_digit.py) | log-spectral distance 5.486 dB; k-means on frames 7.524 | [van den Oord et al. 2017](https://arxiv.org/abs/1711.00937) |
# | a prior over codes | `CodePrior` | [vq_vae_prior_cifar10](../../recipes/vq_vae_prior_cifar10.py) | 3.650 bits per code, n-grams 6.809; images 5.337 bits per dimension, WebP 4.192 | [van den Oord et al. 2017](https://arxiv.org/abs/1711.00937) |
# | a prior over codes of speech | `ConditionalCodePrior` | [vq_vae_prior_spoken_digit](../../recipes/vq_vae_prior_spoken_digit.py) | 2.357 bits per code; n-grams 2.870 | [van den Oord et al. 2017](https://arxiv.org/abs/1711.00937) |
