# %% [markdown]
# # 2. Denoising, sparse, and contractive autoencoders: what codes are for
#
# In [chapter 1](01_autoencoders.md), a code had fewer numbers than the image. Only this bottleneck
# kept the autoencoder from copying. But a code is not useful just because it is short. A code may
# even have *more* numbers than the image, if another constraint keeps it from being a copy. This
# chapter covers three such constraints: noise in the input, a penalty on active codes, and a
# penalty on codes that change with the input.
#
# After this chapter, you can prove that the best denoiser is a mean, and that it moves each noisy
# example to where noisy examples are dense. You can explain in which sense contractive autoencoders
# are denoisers with little noise. You can also explain where exact zeros in codes come from, and
# how to find out what a code preserves.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on scikit-learn's digits and with
# fewer steps.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam, AdamW
from keras.optimizers.schedules import CosineDecay
from scipy.linalg import solve_banded
from scipy.ndimage import median_filter

from keras_gen import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
)
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.data import offline_digits, small_images
from keras_gen.losses import UnboundedNormal
from keras_gen.metrics import linear_probe
from keras_gen.networks import mlp_networks, one_layer_networks
from keras_gen.workshop.visualize import captioned, new_figure, show

QUICK = bool(os.environ.get("QUICK"))
DIGITS = 600 if QUICK else 15_000  # maximum number of training digits
VALIDATION = 200 if QUICK else 3_000  # further training digits, for model selection
TESTED = 300 if QUICK else 5_000  # maximum number of test digits
LABELS = 100 if QUICK else 1_000  # for a linear classifier
DRAWS = 10_000 if QUICK else 1_000_000  # for numerical checks
PLANE_STEPS = 2 if QUICK else 2_000  # for each model in the plane
EPOCHS = 1 if QUICK else 14  # for each model of digits
UNITS = 50 if QUICK else 400  # codes per digit
# Tracing a step takes longer than a few steps do.
WAY = {"run_eagerly": True} if QUICK else {"steps_per_execution": 50}

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. The best denoiser is a mean
#
# Let $x$ be an example, and $\tilde x = x + \sigma \epsilon$ with noise $\epsilon \sim N(0, I)$. A
# **denoising autoencoder** (Vincent et al. 2008) sees only $\tilde x$ and should return $x$. It
# minimizes
#
# $$E | x - r(\tilde x) |^2,$$
#
# where $r$ is the encoder followed by the decoder, and the mean is over examples and noise. Copying
# the input does not help: for $n$ numbers, $r(\tilde x) = \tilde x$ has the error $n \sigma^2$.
#
# Which function $r$ is the best? The same $\tilde x$ may come from many examples. We may choose
# $r(\tilde x)$ for each $\tilde x$ separately. The gradient of $E( | x - r |^2 \mid \tilde x )$
# with respect to $r$ is $2 r - 2 E( x \mid \tilde x )$, which is 0 at
#
# $$r^*(\tilde x) = E( x \mid \tilde x ).$$
#
# The best denoiser is the **posterior mean**: the mean of all examples that could have become
# $\tilde x$, each weighted by its probability given $\tilde x$. A mean of examples need not be an
# example itself.
#
# ## 2. It points uphill
#
# The best denoiser has a second form. Let $p(x)$ be the density of the data, let $q(\tilde x \mid
# x)$ be the density of a noisy point given the clean point $x$, and let $q(\tilde x) = \int p(x)
# q(\tilde x \mid x) dx$ be the density of all noisy points. With respect to $\tilde x$, the normal
# density $q(\tilde x \mid x)$ has the gradient $(x - \tilde x) q(\tilde x \mid x) / \sigma^2$. So
#
# $$\nabla q(\tilde x) = \int p(x) \nabla q(\tilde x \mid x) dx
# = \frac{1}{\sigma^2} \int (x - \tilde x) p(x) q(\tilde x \mid x) dx.$$
#
# Divide by $q(\tilde x)$. On the right, $p(x) q(\tilde x \mid x) / q(\tilde x)$ is the density of
# $x$ given $\tilde x$, by Bayes' rule. The remainder is $E(x \mid \tilde x) - \tilde x$:
#
# $$r^*(\tilde x) - \tilde x = \sigma^2 \nabla \log q(\tilde x).$$
#
# The gradient of $\log q$ is called the **score** of $q$. So a denoiser moves each point to where
# noisy points are denser, by $\sigma^2$ times the score. The denoiser learns the score from pairs
# of noisy and clean points, without knowing any density (Vincent 2011). [Chapter
# 13](13_diffusion.md) builds generative models on this result.
#
# We check the second form in a case where all densities are known. The data are on a spiral in the
# plane: a mixture of 150 narrow normal distributions with standard deviation $s = 0.03$, with
# centers $c$ on the spiral. Then $q$ is also a mixture, with variances $s^2 + \sigma^2$. If $\tilde
# x$ comes from center $c$, then the data near $c$ are normal, and the second form gives $E(x \mid
# \tilde x, c) = c + k (\tilde x - c)$ with $k = s^2 / (s^2 + \sigma^2)$. So $E(x \mid \tilde x) =
# m + k (\tilde x - m)$, where $m$ is the mean of the centers, weighted by their probability given
# $\tilde x$.

# %%
turn = np.linspace(0.5, 2.2, 150)
CENTERS = (0.25 + 0.6 * turn[:, None]) * np.stack(
    [np.cos(np.pi * turn), np.sin(np.pi * turn)], axis=1
)
S = 0.03


def draw_points(n):
    """Samples data points `[n, 2]`."""
    return CENTERS[random.integers(150, size=n)] + S * random.normal(size=(n, 2))


def log_q(noisy, sigma):
    """Returns the log-density of noisy points, `[n]`."""
    variance = S**2 + sigma**2
    squares = tf.reduce_sum((noisy[:, None] - CENTERS) ** 2, axis=-1)
    return tf.reduce_logsumexp(-squares / (2 * variance), axis=1) - np.log(
        2 * np.pi * variance * 150
    )


def best_denoiser(noisy, sigma):
    """Returns E(x | noisy point) for points `[n, 2]`, by Bayes' rule."""
    variance = S**2 + sigma**2
    squares = np.sum((noisy[:, None] - CENTERS) ** 2, axis=-1)
    weights = np.exp(-(squares - squares.min(axis=1, keepdims=True)) / (2 * variance))
    m = weights @ CENTERS / weights.sum(axis=1, keepdims=True)
    return m + S**2 / variance * (noisy - m)


SIGMA = 0.3
place = tf.constant([[0.3, 0.6]], "float64")
with tf.GradientTape() as tape:
    tape.watch(place)
    found = log_q(place, SIGMA)
score = tape.gradient(found, place)
x = draw_points(DRAWS)
noisy = x + SIGMA * random.normal(size=x.shape)
near = x[np.sum((noisy - place.numpy()) ** 2, axis=1) < 0.05**2]
print("Bayes' rule                   ", best_denoiser(place.numpy(), SIGMA)[0].round(4))
print("the point + sigma^2 * score   ", (place + SIGMA**2 * score)[0].numpy().round(4))
error = near.std(axis=0) / np.sqrt(len(near))
print(
    f"mean x of {len(near):4} draws near it   ", near.mean(axis=0).round(4), "±", error.round(4)
)

# %% [markdown]
# ## 3. The training step
#
# The following code implements a denoising autoencoder as a model of this library.
# `GenerativeModel` provides an optimizer, the data check (`prepare_batch`), noise (`normal`), and
# the update (`minimize`).
#
# ![Noise corrupts the example before the encoder. The loss compares the reconstruction with the clean example.](diagrams/02_denoising.svg)
#
# *Only the input is noisy: the loss compares the reconstruction with the clean example.*


# %%
class PlainDenoiser(GenerativeModel):
    """Reconstructs points from noisy ones."""

    def __init__(self, encoder, decoder, sigma, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.sigma = sigma
        self.edges["x"] = Vectors((2,))

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]
        noisy = x + self.sigma * self.normal("corruption", tf.shape(x))

        def squared_error():
            code = self.encoder(noisy, training=True)
            reconstruction = self.decoder(code, training=True)
            return tf.reduce_sum(tf.square(x - reconstruction), axis=-1)

        return self.report(loss=self.minimize(squared_error))


# %% [markdown]
# A code has 64 numbers, although a point has only two. So without noise, nothing keeps this model
# from copying its input. We train one model with noise of $\sigma = 0.3$ and one model without
# noise.

# %%


def reconstructed(model, points):
    """Reconstructs points `[n, 2]` without additional noise."""
    return model.decoder(model.encoder(points.astype("float32"))).numpy()


points = draw_points(PLANE_STEPS * 256 // 10).astype("float32")
plane = {}
for sigma in (SIGMA, 0.0):
    networks = mlp_networks((2,), latent_dim=64, hidden=(64,))
    plane[sigma] = PlainDenoiser(*networks, sigma)
    plane[sigma].compile(Adam(CosineDecay(5e-3, PLANE_STEPS)), **WAY)
    plane[sigma].fit(points, batch_size=256, epochs=10, verbose=0)

test_points = draw_points(DRAWS // 10)
print("noise of the input   best possible   + distance   = sum   squared error of the network")
for sigma, model in plane.items():
    noisy = test_points + sigma * random.normal(size=test_points.shape)
    ours = reconstructed(model, noisy)
    best = best_denoiser(noisy, sigma)
    least, distance, loss = (
        np.mean(np.sum(off**2, axis=1))
        for off in (test_points - best, best - ours, test_points - ours)
    )
    print(f"{sigma:18} {least:15.5f} {distance:12.5f} {least + distance:7.5f} {loss:15.5f}")

# %% [markdown]
# Without noise, the network copies its input nearly perfectly. With noise, most of the loss is the
# variance of $x$ given $\tilde x$, which no network can avoid. The error of any $r$ is this minimum
# error plus the mean squared distance between $r$ and $r^*$, because $x - r^*$ has mean 0 for each
# given $\tilde x$.
#
# The class `DenoisingAutoencoder` has the same step. Its loss is a negative log-likelihood. For a
# normal distribution with standard deviation 1, this loss is half the squared error plus a
# constant, which is $\log 2 \pi$ in the plane. We evaluate both implementations on 1,000 of the
# points, with the same noise.

# %%
of_class = DenoisingAutoencoder(
    plane[SIGMA].encoder, plane[SIGMA].decoder, UnboundedNormal(1.0), "gaussian", SIGMA
)
of_class.compile("adam", **WAY)
some = test_points[:1000].astype("float32")
losses = [model.evaluate(some, batch_size=100, verbose=0) for model in (plane[SIGMA], of_class)]
total, plain_total = losses[1][0], losses[0]
print(f"squared error by PlainDenoiser           {plain_total:.6f}")
print(f"2 (nats - log 2 pi) by the class         {2 * (total - np.log(2 * np.pi)):.6f}")

# %%
axis = np.linspace(-1.7, 1.7, 60)
grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
axis = np.linspace(-1.5, 1.5, 11)
places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
panels = {
    "best, sigma = 0.1": (0.1, best_denoiser(places, 0.1)),
    f"best, sigma = {SIGMA:g}": (SIGMA, best_denoiser(places, SIGMA)),
    f"network, sigma = {SIGMA:g}": (SIGMA, reconstructed(plane[SIGMA], places)),
    "network, no noise": (0.1, reconstructed(plane[0.0], places)),
}
drawn = new_figure(10.5, 3)
for axes, (title, (sigma, ends)) in zip(drawn.subplots(1, 4), panels.items(), strict=True):
    density = np.exp(log_q(grid, sigma)).reshape(60, 60)
    axes.contourf(*grid.T.reshape(2, 60, 60), density, 7, cmap="Blues")
    axes.quiver(
        *places.T, *(ends - places).T, scale_units="xy", angles="xy", scale=1, width=0.005
    )
    axes.plot(*CENTERS.T, color="tab:red", linewidth=1)
    axes.set(title=title, xticks=[], yticks=[], xlim=(-1.7, 1.7), ylim=(-1.7, 1.7))
    axes.set(xlabel="x 1", ylabel="x 2" if axes is drawn.axes[0] else "")
show(
    drawn,
    "arrows",
    "Arrows from points of the plane to their reconstructions, on q of the noise (blue). Data in red.",
)

# %% [markdown]
# With little noise, each arrow ends on the spiral, or on the way to it if the arrow starts halfway
# between two arms. With more noise, arrows end on the inner side of an arm or in the opening,
# because several parts of the spiral could be the origin of a noisy point, and their mean is
# between them. The network has learned the same field. For the network trained without noise, no
# arrows appear near the spiral, because a copy does not depend on where the data are.
#
# ## 4. A little noise penalizes slopes
#
# What does noise do to a smooth $r$? Let $J$ be the **Jacobian** of $r$, the matrix of its
# derivatives, and expand around the clean point: $r(x + \sigma \epsilon) = r(x) + \sigma J
# \epsilon + \ldots$ The mean of $| x - r - \sigma J \epsilon |^2$ has no cross term, because $E
# \epsilon = 0$. And $E | J \epsilon |^2 = | J |^2$, the sum of the squares of all entries, because
# $E \epsilon_i \epsilon_j$ is 1 for $i = j$ and 0 otherwise. So, up to smaller terms,
#
# $$E | x - r(x + \sigma \epsilon) |^2 \approx E \left[ | x - r(x) |^2 + \sigma^2 | J(x) |^2 \right].$$
#
# Noise acts as a **penalty on slopes**: the reconstruction of clean points should be accurate, and
# it should change little with the input. (The next term of the expansion is $\sigma^2$ times second
# derivatives of $r$. In the square, this term is multiplied by $x - r$. For a good denoiser, which
# is $x + \sigma^2 g(x)$, both the second derivatives and $x - r$ are of order $\sigma^2$, so the
# product is of order $\sigma^6$.) Which $r$ minimizes the right-hand side? Write $r(x) = x +
# \sigma^2 g(x)$, so that $J = I + \sigma^2 J_g$. The sum of the squares of $J$ is $n + 2 \sigma^2
# \nabla \cdot g$ plus a term of order $\sigma^4$, where the divergence $\nabla \cdot g$ is the sum
# of the $\partial g_i / \partial x_i$. Hence the right-hand side is
#
# $$n \sigma^2 + \sigma^4 E \left[ | g |^2 + 2 \nabla \cdot g \right] + \ldots$$
#
# Integrate by parts, with a density that is 0 far away:
# $E [ \nabla \cdot g ] = \int p \nabla \cdot g dx = - \int g \cdot \nabla p dx
# = - E [ g \cdot \nabla \log p ]$. So the bracket is
#
# $$E \left[ | g |^2 - 2 g \cdot \nabla \log p \right]
# = E | g - \nabla \log p |^2 - E | \nabla \log p |^2,$$
#
# and the best $g$ is the score of the *data* (Alain and Bengio 2014). Fitting a function to an
# unknown score in this way is called **score matching**.
#
# In one dimension, all three functions can be computed: the denoiser $x + \sigma^2 (\log q)'$, the
# function that minimizes the penalized error, and $x + \sigma^2 (\log p)'$. The second function
# solves the equation $(r - x) p = \sigma^2 (p r')'$: add a small function $v$ to $r$, and the error
# changes by $2 \int p (r - x) v + \sigma^2 p r' v' dx$, which, after integration by parts, is 0 for
# every $v$ only if the equation holds. On a grid, this equation is a system of linear equations.
# The data are a mixture of two normal distributions.

# %%
SHARES, MEANS, DEVIATIONS = np.array([0.6, 0.4]), np.array([-1.0, 1.2]), np.array([0.4, 0.6])
line = np.linspace(-4, 5, 9001)


def density_and_score(x, sigma):
    """Returns q(x) and its score for noise with standard deviation sigma."""
    variances = DEVIATIONS**2 + sigma**2
    apart = x[:, None] - MEANS
    parts = SHARES * np.exp(-(apart**2) / (2 * variances)) / np.sqrt(2 * np.pi * variances)
    return parts.sum(axis=1), np.sum(-apart / variances * parts, axis=1) / parts.sum(axis=1)


def penalized(sigma):
    """Returns the r that minimizes E[(x - r)^2 + sigma^2 r'^2] on the line."""
    p, _ = density_and_score(line, 0.0)
    between, _ = density_and_score((line[1:] + line[:-1]) / 2, 0.0)
    stiff = sigma**2 * between / (line[1] - line[0]) ** 2
    left, right = np.append(0, stiff), np.append(stiff, 0)
    # Each row divided by p: it is tiny at the ends of the line.
    bands = np.stack([-left / p, 1 + (left + right) / p, -right / p])
    bands[0, 1:], bands[2, :-1] = bands[2, :-1].copy(), bands[0, 1:].copy()
    return solve_banded((1, 1), bands, line)


p, score_of_data = density_and_score(line, 0.0)
weights = p / p.sum()
curves = {}
print("           root mean square distance of (r - x) / sigma^2 from the score of the data")
print("sigma      denoiser    penalized    denoiser from penalized")
for sigma in (0.4, 0.2, 0.1, 0.05):
    denoiser = density_and_score(line, sigma)[1]
    penalty = (penalized(sigma) - line) / sigma**2
    curves[sigma] = denoiser, penalty
    pairs = ((denoiser, score_of_data), (penalty, score_of_data), (denoiser, penalty))
    far = [np.sqrt(np.sum(weights * (a - b) ** 2)) for a, b in pairs]
    print(f"{sigma:5} {far[0]:13.4f} {far[1]:12.4f} {far[2]:18.4f}")

drawn = new_figure(10.5, 3.8)
panels = drawn.subplots(1, 3, width_ratios=(1, 1.4, 1.4))
panels[0].plot(line, p)
panels[0].set(xlabel="x", ylabel="density of the data", xlim=(-2.5, 3))
for axes, sigma in zip(panels[1:], (0.4, 0.1), strict=True):
    axes.plot(line, score_of_data, color="black", label="score of the data")
    axes.plot(line, curves[sigma][0], "--", label="denoiser")
    axes.plot(line, curves[sigma][1], ":", linewidth=2.5, label="penalized slopes")
    axes.axhline(0, color="gray", linewidth=0.5)
    axes.set(title=f"sigma = {sigma:g}", xlabel="x", xlim=(-2.5, 3), ylim=(-6, 9))
panels[1].set_ylabel("(r(x) - x) / sigma²")
panels[2].legend()
show(
    drawn,
    "limit",
    "Left: the data. Denoiser and slope penalty differ for large noise and agree for small noise.",
)

# %% [markdown]
# The differences among the three functions go to 0 with $\sigma$. Halving the noise from 0.1 to
# 0.05 reduces the distances between the functions to about a third or a quarter. At 0.4, the
# denoiser and the penalized function are still close to each other, and both are far from the score
# of the data.
#
# ## 5. Linear denoisers
#
# For a *linear* $r(x) = W x$ on centered data, the expansion of section 4 has no further terms. So
#
# $$E | x - W (x + \sigma \epsilon) |^2 = E | x - W x |^2 + \sigma^2 | W |^2$$
#
# for any $\sigma$: training with noise is equivalent to ridge regression. With the covariance $C$
# of the data, the gradient $-2 (I - W) C + 2 \sigma^2 W$ is 0 at
#
# $$W = C (C + \sigma^2 I)^{-1}.$$
#
# Along principal component $i$, with variance $\lambda_i$, $W$ multiplies by $\lambda_i /
# (\lambda_i + \sigma^2)$. In contrast, PCA multiplies each component by 1 or by 0, and we choose
# how many components it keeps. Training with noise *shrinks* all components, most strongly those
# with small variance. So even without a bottleneck, noise keeps a code from being a copy. The
# minimum error is $\sum_i \lambda_i \sigma^2 / (\lambda_i + \sigma^2)$. This $W$ is called the
# **Wiener filter**. If the data are normally distributed, the score is linear, so the Wiener filter
# is the best of all denoisers.
#
# The next data are digits. We shrink them to $14 \times 14$ pixels between 0 and 1, so that many
# small models can be trained. Some training digits are held out for model selection.

# %%
if QUICK:
    sources = offline_digits(labels=True)
    train, test = sources["train"], sources["test"]
else:
    data = small_images("mnist", labels=True)
    print(data.warning or "the digits of MNIST")
    train, test = data.train, data.test


def halved(images):
    """Returns images at half the side length."""
    return images.reshape(len(images), 14, 2, 14, 2, 1).mean(axis=(2, 4)).round().astype("uint8")


def flat(images):
    """Returns pixels from 0 to 1, `[n, 196]`."""
    return images.reshape(len(images), -1).astype("float32") / 255


held_out = min(VALIDATION, len(train) // 4)
train_images, train_labels = train.take(min(DIGITS, len(train) - held_out)).arrays()
validation_images, validation_labels = train.select(slice(-held_out, None)).arrays()
whole_digits, test_labels = test.take(TESTED).arrays()
train_digits, validation_digits, test_digits = (
    halved(images) for images in (train_images, validation_images, whole_digits)
)
for name, digits in (
    ("train", train_digits),
    ("held out", validation_digits),
    ("test", test_digits),
):
    print(f"{name:9} {digits.shape}")

pixels = flat(train_digits)
mean_digit = pixels.mean(axis=0)
eigenvalues, components = np.linalg.eigh(np.cov(pixels.T, bias=True).astype("float64"))
eigenvalues = np.maximum(eigenvalues, 0)  # pixels that are always black may round below


def wiener(noisy, sigma):
    """Applies the best linear denoiser to noisy digits `[n, 196]`."""
    factors = eigenvalues / (eigenvalues + sigma**2)
    return mean_digit + ((noisy - mean_digit) @ components * factors) @ components.T


clean = flat(test_digits)
print("noise   Wiener filter, measured   formula")
for sigma in (0.25, 0.5, 1.0):
    noisy = clean + sigma * random.normal(size=clean.shape)
    measured = np.mean(np.sum((clean - wiener(noisy, sigma)) ** 2, axis=1))
    formula = np.sum(eigenvalues * sigma**2 / (eigenvalues + sigma**2))
    print(f"{sigma:5} {measured:25.2f} {formula:9.2f}")

# %% [markdown]
# ## 6. Denoising digits
#
# Now we train `DenoisingAutoencoder` on digits, with one layer of 400 sigmoid codes for 196 pixels.
# The pixels are between 0 and 1, and the loss is the cross-entropy $-x \log d - (1 - x) \log (1 -
# d)$. Its derivative with respect to $d$ is $(d - x) / (d (1 - d))$, whose mean is 0 at $d = E(x
# \mid \tilde x)$. So the cross-entropy has the same best denoiser as the squared error.
#
# The network is compared with three other denoisers. A **median filter** replaces each pixel with
# the median of the surrounding $3 \times 3$ pixels. The **Wiener filter** was derived in section 5.
# The **mean over training digits** is exactly the posterior mean of section 1 if the data
# distribution contains only the training digits. Each training digit has the weight $\exp(-| \tilde
# x - x |^2 / (2 \sigma^2))$.


# %%
def trained(kind, **options):
    """Returns a model with one layer of sigmoid codes, trained on digits."""
    keras.utils.set_random_seed(0)  # all models begin with the same weights
    model = kind(*one_layer_networks((14, 14, 1), UNITS), **options)
    optimizer = AdamW(CosineDecay(3e-3, EPOCHS * len(train_digits) // 100), weight_decay=0.4)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, **WAY)
    model.fit(train_digits, batch_size=100, epochs=EPOCHS, verbose=0)
    return model


AMOUNTS = (0.5,) if QUICK else (0.25, 0.5, 1.0, 2.0)
denoisers = {
    sigma: trained(DenoisingAutoencoder, corruption="gaussian", amount=sigma)
    for sigma in AMOUNTS
}


def mean_over_training(noisy, sigma):
    """Returns posterior means of noisy digits `[n, 196]` over the training digits."""
    parts = []
    for some in np.array_split(noisy, max(len(noisy) // 500, 1)):
        # The part of |noisy - x|^2 that depends on x.
        squares = np.sum(pixels**2, axis=1) - 2 * some.astype("float32") @ pixels.T
        weights = np.exp(-(squares - squares.min(axis=1, keepdims=True)) / (2 * sigma**2))
        parts.append(weights @ pixels / weights.sum(axis=1, keepdims=True))
    return np.concatenate(parts)


def by_network(noisy, sigma):
    model = denoisers[sigma]
    return model(noisy.astype("float32").reshape(-1, 14, 14, 1)).numpy().reshape(-1, 196)


def by_median(noisy, sigma):
    return median_filter(noisy.reshape(-1, 14, 14), (1, 3, 3)).reshape(-1, 196)


methods = {
    "nothing": lambda noisy, sigma: noisy,
    "median filter": by_median,
    "Wiener filter": wiener,
    "mean over training": mean_over_training,
    "network": by_network,
}
restored = {}
print("squared error per test digit    ", *(f"noise {sigma:4}" for sigma in AMOUNTS))
noisy = {sigma: clean + sigma * random.normal(size=clean.shape) for sigma in AMOUNTS}
for name, method in methods.items():
    errors = []
    for sigma in AMOUNTS:
        result = method(noisy[sigma], sigma)
        errors.append(np.mean(np.sum((clean - result) ** 2, axis=1)))
        restored[name, sigma] = result[:12]
    print(f"{name:32}", *(f"{error:10.2f}" for error in errors))


def as_uint8(values):
    return (255 * np.clip(values, 0, 1)).round().astype("uint8").reshape(-1, 14, 14, 1)


rows = [test_digits[:12], *(as_uint8(restored[name, 0.5]) for name in methods)]
names = ["test digits", "noise 0.5", *list(methods)[1:]]
show(
    captioned(rows, names),
    "denoised",
    "Test digits, the same digits with noise of 0.5, and the outputs of four denoisers.",
)

# %% [markdown]
# The network has a smaller squared error than the Wiener filter, because it need not be linear. At
# a noise level of 2, their errors are nearly equal. But at a noise level of 0.5 or more, the mean
# over training digits has a smaller error than the network. With a lot of noise, many digits are
# possible originals, and an average of 15,000 real digits is hard for one layer to beat. With
# little noise, nearly all of the weight is on the nearest training digit, which is not the test
# digit. For the 15,000 training digits themselves, the mean over training digits is the optimal
# denoiser, but for test digits, it is not. This denoiser also has to store all training digits.
#
# Look at the 4 in the third column and at the 3 in the ninth: the mean over training digits turns
# them into a 9 and a 5. The noise has hidden which digit was shown, and a denoiser returns a likely
# digit.
#
# ## 7. Sparse codes
#
# The second penalty applies to active codes. A **sparse** code has many numbers, but for any
# example, only a few of them are far from 0. Why should sparsity be useful? Think of a code as a
# list of causes, such as strokes: many strokes are possible, but any digit has only a few of them.
#
# **Where zeros come from.** Let the columns of the decoder be orthonormal, and minimize
# $\frac{1}{2} | x - B h |^2 + \lambda \sum_i | h_i |$ over the code $h$ of one example. With $y =
# B^T x$, this is, up to a constant, the sum of the terms $\frac{1}{2} (y_i - h_i)^2 + \lambda |
# h_i |$. For $h_i > 0$, the derivative is $h_i - y_i + \lambda$, so the minimum is at $h_i = y_i -
# \lambda$ if this number is positive. For $h_i < 0$, the minimum is the mirror image. Otherwise,
# the minimum is at the kink, $h_i = 0$. In all cases,
#
# $$h_i = \mathrm{sign}(y_i) \max( | y_i | - \lambda, 0 ).$$
#
# This is the **soft threshold**. Everything between $-\lambda$ and $\lambda$ becomes *exactly* 0.
# In contrast, a squared penalty $\frac{1}{2} \lambda h_i^2$ gives $y_i / (1 + \lambda)$. This
# penalty multiplies each value by a factor, as in section 5, so no nonzero value becomes 0.
#
# **The soft threshold is also a denoiser.** Let $y = h + \sigma \epsilon$, and let $h$ have the
# density $\exp( -| h | / b ) / (2 b)$, the **Laplace** distribution. Then $- \log p(h \mid y)$ is
# $(y - h)^2 / (2 \sigma^2) + | h | / b$ plus a constant. So the soft threshold with $\lambda =
# \sigma^2 / b$ is the *most likely* $h$. In contrast, the best denoiser is the posterior *mean* of
# $h$ (section 1), computed here by sums over a grid. We compare the two for $\sigma = 1$ and $b =
# 1$.

# %%
SCALE = 1.0
steps = np.linspace(-25, 25, 5001)
prior = np.exp(-np.abs(steps) / SCALE)


def posterior_mean(y):
    likely = np.exp(-0.5 * (y[:, None] - steps) ** 2) * prior
    return likely @ steps / likely.sum(axis=1)


def soft_threshold(y):
    return np.sign(y) * np.maximum(np.abs(y) - 1 / SCALE, 0)


y = np.linspace(-5, 5, 101)
losses = 0.5 * (y[:, None] - steps) ** 2 + np.abs(steps) / SCALE
off = np.abs(steps[np.argmin(losses, axis=1)] - soft_threshold(y)).max()
print(f"soft threshold, largest difference from a search {off:.3f}")
shrinkers = {
    "nothing": lambda y: y,
    "factor (normal prior)": lambda y: 2 * SCALE**2 / (2 * SCALE**2 + 1) * y,
    "soft threshold": soft_threshold,
    "posterior mean": lambda y: np.interp(y, steps[::10], posterior_mean(steps[::10])),
}
h = random.laplace(scale=SCALE, size=DRAWS // 10)
seen = h + random.normal(size=h.shape)
print("                        mean squared error   exact zeros")
drawn = new_figure(7, 4.2)
axes = drawn.subplots()
for name, shrink in shrinkers.items():
    made = shrink(seen)
    print(f"{name:22} {np.mean((h - made) ** 2):19.4f} {np.mean(made == 0):13.1%}")
    axes.plot(y, shrink(y), label=name)
axes.set(xlabel="y, the code with noise", ylabel="code")
axes.legend()
axes.grid(alpha=0.3)
show(
    drawn,
    "shrinking",
    "Four ways to shrink a noisy code. Only the soft threshold gives exact zeros.",
)

# %% [markdown]
# The posterior mean has the smallest error, as expected. The most likely code has exact zeros, but
# its error is larger than even the error of the linear factor, which is $2/3$ by the formula in
# section 5. So zeros come from the *maximum* of the posterior. Neither the posterior mean nor
# samples from the Laplace distribution have exact zeros.
#
# **With a network.** An encoder with sigmoid codes computes $h$ in one step, so it returns small
# numbers instead of zeros. The most common penalty (Ng 2011) uses the *mean* activation $m_j$ of
# each code over the data. The penalty is a sum of Kullback-Leibler divergences between two
# Bernoulli distributions,
#
# $$\sum_j \rho \log \frac{\rho}{m_j} + (1 - \rho) \log \frac{1 - \rho}{1 - m_j}.$$
#
# Its derivative with respect to $m_j$ is $-\rho / m_j + (1 - \rho) / (1 - m_j)$, which is 0 at
# $m_j = \rho$. We use $\rho = 0.05$; the penalty competes with the reconstruction loss, so the mean
# activations need not reach this value. A code that is 0.05 for *every* digit would satisfy the
# penalty just as well as a code that is active for a few digits. Only the reconstruction requires
# codes that distinguish digits.
#
# ## 8. Contractive codes
#
# The third penalty applies to codes that change with the input. The **contractive autoencoder**
# (Rifai et al. 2011) adds $\lambda | \partial h / \partial x |^2$ to the loss, where $| \partial h
# / \partial x |^2$ is the sum of the squared derivatives of the *encoder*. In contrast, the penalty
# in section 4 applies to the derivatives of the reconstruction, which both the encoder and the
# decoder can reduce. For sigmoid codes $h_j = s( w_j \cdot x + b_j )$, the slope of the sigmoid is
# $h_j (1 - h_j)$. So there is a closed form that costs almost nothing:
#
# $$\left| \frac{\partial h}{\partial x} \right|^2 = \sum_j h_j^2 (1 - h_j)^2 | w_j |^2.$$
#
# So a code can have small slopes in two ways. Its values can be near 0 or 1, where the sigmoid is
# flat. Or the encoder's weights can be small, which is almost a loophole, because the decoder's
# weights only have to be correspondingly larger. Section 9 shows which of the two ways our model
# chooses.
#
# Now we train all types of models with the same networks, from the same initial weights, and with
# three or four strengths of each penalty.

# %%
strengths = (1.0,) if QUICK else (0.3, 1.0, 3.0)
contractive = {
    strength: trained(ContractiveAutoencoder, weight=strength) for strength in strengths
}
some = test_digits[:5]
with tf.GradientTape() as tape:
    inputs = tf.constant(some / np.float32(255))
    tape.watch(inputs)
    codes = contractive[1.0].encoder(inputs)
slopes = tape.batch_jacobian(codes, inputs).numpy().reshape(5, UNITS, 196)
kernel = contractive[1.0].encoder.get_weights()[0]
h = codes.numpy()
print("|dh/dx| of five test digits")
print("by differentiation", np.sqrt(np.sum(slopes**2, axis=(1, 2))).round(4))
print("closed form       ", np.sqrt((h * (1 - h)) ** 2 @ np.sum(kernel**2, axis=0)).round(4))
print("by the class      ", contractive[1.0].jacobian_norms(some).round(4))

# %% [markdown]
# ## 9. What has a code kept?
#
# Whether a code is good depends on its purpose. Our purpose is to predict a digit's class with few
# labels: a linear classifier receives 1,000 labeled codes. For each type of model, the strength of
# the penalty is chosen on held-out digits, and only the chosen model is evaluated on test digits.
# The models are compared with three simple codes: the pixels, 50 principal components, and the same
# number of sigmoid units with *random* weights.

# %%
plain = trained(Autoencoder)
sparse = {strength: trained(SparseAutoencoder, weight=strength) for strength in strengths}


def random_units(gain):
    """Returns an untrained encoder."""
    encoder, _ = mlp_networks(
        (14, 14, 1), UNITS, hidden=(), output_activation="sigmoid", output_gain=gain
    )
    return encoder


def by(encoder):
    """Returns an encoder's codes of pixels `[n, 196]`."""
    return lambda x: encoder(x.reshape(-1, 14, 14, 1).astype("float32")).numpy()


def accuracy(encode, digits, labels):
    """Returns the accuracy of a linear classifier with `LABELS` labeled digits."""
    found = linear_probe(
        encode(pixels), train_labels, encode(flat(digits)), labels, counts=[LABELS]
    )
    return found[LABELS]


cheap = {
    "pixels": {"": lambda x: x},
    "50 components": {"": lambda x: (x - mean_digit) @ components[:, -50:]},
    "random units": {f"gain {gain:g}": by(random_units(gain)) for gain in (4.0, 16.0)},
}
learned = {
    "plain": {"": plain},
    "denoising": {f"noise {strength:g}": model for strength, model in denoisers.items()},
    "sparse": {f"weight {strength:g}": model for strength, model in sparse.items()},
    "contractive": {f"weight {strength:g}": model for strength, model in contractive.items()},
}
kinds = cheap | {
    kind: {name: by(model.encoder) for name, model in settings.items()}
    for kind, settings in learned.items()
}
chosen, models = {}, {}
for kind, settings in kinds.items():
    held = {
        name: accuracy(encode, validation_digits, validation_labels)
        for name, encode in settings.items()
    }
    best = max(held, key=held.get)
    chosen[kind] = settings[best]
    if kind in learned:
        models[kind] = learned[kind][best]
    print(f"{kind:14}", ", ".join(f"{name} {value:.1%}".strip() for name, value in held.items()))

# %% [markdown]
# How sensitive is a code to small changes? We compare two steps of equal length from each test
# digit: shifting the digit by half a pixel, and adding random noise. The first step is a change
# along the digits, and the second step leads away from the digits. If the step along the digits
# changes the code by $a$, and the noise changes it by $b$, then $a / b$ measures how much more
# sensitive the code is to steps along the digits. For pixels, the ratio is 1. We also count codes
# below 0.01.

# %%
moved = flat(halved(np.roll(whole_digits, 1, axis=2)))
step = np.linalg.norm(moved - clean, axis=1, keepdims=True)
noise = random.normal(size=clean.shape)
noise *= step / np.linalg.norm(noise, axis=1, keepdims=True)
off_manifold = (clean + noise).astype("float32")
print(f"length of a step, mean {step.mean():.2f}")
print("code             test accuracy    a / b   mean code   below 0.01")
for kind, encode in chosen.items():
    at, along, away = encode(clean), encode(moved), encode(off_manifold)
    ratios = np.linalg.norm(along - at, axis=1) / np.linalg.norm(away - at, axis=1)
    share = accuracy(encode, test_digits, test_labels)
    small = f"{at.mean():11.2f} {np.mean(at < 0.01):12.1%}" if at.min() >= 0 else ""
    print(f"{kind:14} {share:14.1%} {np.median(ratios):11.2f} {small}")
print(f"one standard error of an accuracy is {np.sqrt(0.92 * 0.08 / len(test_labels)):.1%}")

# %% [markdown]
# In classification accuracy, only the sparse codes are clearly better than random units, by more
# than two percentage points, which is several standard errors. Denoising, contractive, and plain
# codes are *not* better than random units: they are about one percentage point behind, but this is
# less than two standard errors of a difference, and each model was trained once, so we do not
# conclude that they are worse. So do not assume that trained codes are better for a classifier. Nor
# are the chosen strengths the best possible ones: the best sparse weight is the smallest that we
# tried, so the optimum may be at an even smaller weight. The comparison also depends on the data,
# the number of labels, and the length of training: in the published run below, with 1,000 codes of
# full-size digits and 10,000 labels, denoising codes are better than random units (95.8% compared
# with 93.4%).
#
# The ratio $a / b$ shows the effect of each penalty. For denoising and contractive codes, a step
# along the digits changes the code about twice as much as noise does. For random units, the step
# and the noise change the code by almost equal amounts. A simpler code achieves almost the same
# ratio: it is 1.7 for 50 principal components. And a high ratio is not a goal in itself, because a
# shifted digit keeps its class.
#
# The sparse codes have a small mean, but few of them are near 0, because they are outputs of
# sigmoids, and nothing sets them to exactly 0.


# %%
def gray(directions):
    """Returns weights `[n, 196]` as images: gray is 0, white or black the largest."""
    largest = np.abs(directions).max(axis=1, keepdims=True)
    return (127.5 + 127.5 * directions / largest).astype("uint8").reshape(-1, 14, 14, 1)


rows = [gray(model.encoder.get_weights()[0].T[:24]) for model in models.values()]
rows = [part for row in rows for part in (row[:12], row[12:])]
names = [name for kind in models for name in (kind, "")]
show(captioned(rows, names), "filters", "Weights of the first 24 codes of four models.")

# %% [markdown]
# Each image shows what one code responds to. The codes of the plain model look like noise, because
# almost any 400 directions can be decoded to 196 pixels. Denoising and contractive codes are
# smoother and respond to the center, where digits vary. Several of the sparse codes respond to one
# stroke each, but others do not respond to any stroke yet.
#
# A code is not equally sensitive to all directions of the input. The **singular values** of
# $\partial h / \partial x$ at a digit measure how much the code changes along each of 196
# orthogonal directions, starting with the strongest. We compute them for 40 test digits.

# %%
spectra, turned = {}, {}
print("             |dh/dx|   of its square: first 20   mean h (1 - h)   all weights")
for kind, model in models.items():
    kernel = model.encoder.get_weights()[0]
    h = by(model.encoder)(clean[:40])
    jacobians = (h * (1 - h))[:, :, None] * kernel.T  # [40, codes, pixels]
    _, sizes, directions = np.linalg.svd(jacobians, full_matrices=False)
    spectra[kind] = np.mean(sizes / sizes[:, :1], axis=0)
    turned[kind] = directions[:, :8]
    squares = np.mean(sizes**2, axis=0)
    print(
        f"{kind:12} {np.sqrt(squares.sum()):7.2f} {squares[:20].sum() / squares.sum():22.0%}"
        f" {np.mean(h * (1 - h)):16.3f} {np.linalg.norm(kernel):12.1f}"
    )
drawn = new_figure(7, 4.2)
axes = drawn.subplots()
for kind, sizes in spectra.items():
    axes.plot(np.arange(1, len(sizes) + 1), sizes, label=kind)
axes.set(yscale="log", ylim=(1e-3, 1.2), xlim=(0, 150), xlabel="direction, by rank")
axes.set_ylabel("change of the code / largest")
axes.legend()
axes.grid(alpha=0.3)
show(
    drawn,
    "spectra",
    "How strongly codes change along the directions of the input, mean of 40 digits.",
)

# %%
digit = 0
rows = [
    np.concatenate([test_digits[digit : digit + 1], gray(directions[digit])])
    for directions in turned.values()
]
rows.append(np.concatenate([test_digits[digit : digit + 1], gray(components[:, :-9:-1].T)]))
show(
    captioned(rows, [*models, "components"], ["digit", *(str(i) for i in range(1, 9))]),
    "directions",
    "A test digit, and the 8 directions in which its code changes most. Below: principal components.",
)

# %% [markdown]
# The plain code is most sensitive at the border, where no digit ever changes. At this digit, the
# first directions of the denoising and contractive codes look like strokes that move or bend.
# Beyond its first 20 directions, the contractive code is almost insensitive. The underlying idea is
# that near one digit, the data are close to a surface with few dimensions, a **manifold**, and that
# a code should preserve steps along this manifold. One digit is an example, not a proof. Principal
# components are also directions, but they are the same for every digit.
#
# The contractive code has chosen small weights: its sigmoids stay in the middle, where the slope is
# nearly 1/4, and its weights are an eighth of the plain model's weights. So this code is close to a
# linear code, as in chapter 1. The optimizer applies a slight weight decay (`weight_decay` in
# section 6), which was too weak to prevent this solution. In the paper, the encoder and the decoder
# share their weights, which does prevent it.
#
# ## 10. Common claims, and what is true
#
# - **"A denoising autoencoder removes the noise that was added."** The added noise is unknown. A
#   denoising autoencoder returns the *mean* of all examples that $x$ could have been. With a lot of
#   noise, this mean is blurred.
# - **"A contractive autoencoder is a denoising autoencoder with little noise."** That holds for a
#   penalty on the slopes of the *reconstruction* (section 4). The contractive autoencoder of Rifai
#   et al. penalizes the slopes of the *encoder*, which is a different training objective.
# - **"An L1 penalty is a Laplace prior, so codes have zeros."** The *most likely* code has zeros.
#   Neither the posterior mean nor samples from the prior have exact zeros (section 7).
# - **"With a target of 0.05, 5% of the codes are active for each digit."** The target applies to
#   the mean of each code over digits, and implies nothing about a single digit.
# - **"Trained codes are better for a classifier."** Compare them with the same number of random
#   units before you believe this (section 9).
#
# ## Questions
#
# **1.** The data are two numbers, $-1$ and $1$, each with probability $1/2$. What is the best
# denoiser? What does it return at 0, and what does it look like for small and for large $\sigma$?
#
# <details markdown="1"><summary>Answer</summary>
#
# The weights of 1 and $-1$ are in the ratio $\exp( -(\tilde x - 1)^2 / 2 \sigma^2 ) :
# \exp( -(\tilde x + 1)^2 / 2 \sigma^2 )$, which is $\exp( \tilde x / \sigma^2 ) : \exp( -\tilde x /
# \sigma^2 )$. So the best denoiser is $\tanh ( \tilde x / \sigma^2 )$. At 0, it returns 0, which is
# not an example. For small $\sigma$, it is almost a step to the nearer number. For large $\sigma$,
# it is almost 0 wherever $\tilde x$ is small compared with $\sigma^2$. It is not a straight line,
# because the data are not normally distributed.
#
# </details>
#
# **2.** Let the codes be linear. Divide all of them by 10, and multiply the decoder's weights by
# 10. What happens to the reconstruction, to an L1 penalty on codes, to the penalty $| \partial h /
# \partial x |^2$, and to the error of a denoiser? What follows for training?
#
# <details markdown="1"><summary>Answer</summary>
#
# Neither the reconstruction nor the error of the denoiser changes. The L1 penalty falls to a tenth,
# and the contractive penalty to a hundredth. So both penalties can be made tiny without changing
# the information in the codes. Training must therefore keep the decoder's weights from growing,
# with a limit on the length of the decoder's columns, with weight decay (as here), or with the same
# weights in the encoder and the decoder (as in the paper by Rifai et al.). Training with noise has
# no such loophole.
#
# </details>
#
# **3.** Change the code: in section 2, set `SIGMA = 1.0`. Where do the arrows of the second and
# third panels end?
#
# <details markdown="1"><summary>Answer</summary>
#
# The arrows end inside the spiral, pulled toward the mean of all data. With a lot of noise, very
# many examples are possible originals, so each end point is a mean over a large part of the spiral.
# No arrow ends on the data: the nearest end is 0.18 away. The minimum error rises from 0.088 to
# 0.69, and the network still reaches this minimum.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | denoising | `DenoisingAutoencoder` | [denoising_autoencoder_mnist](../../recipes/denoising_autoencoder_mnist.py) | PSNR gain with a quarter masked 6.2524 dB; boosted trees 12.06 | [Vincent et al. 2008](https://doi.org/10.1145/1390156.1390294), [2010](https://www.jmlr.org/papers/v11/vincent10a.html) |
# | codes of denoisers, 10,000 labels | `DenoisingAutoencoder` | [denoising_autoencoder_mnist](../../recipes/denoising_autoencoder_mnist.py) | 95.780% with Gaussian noise; random units 93.39%, plain 92.13% | [Vincent et al. 2008](https://doi.org/10.1145/1390156.1390294) |
# | sparse codes | `SparseAutoencoder` | [sparse_autoencoder_mnist](../../recipes/sparse_autoencoder_mnist.py) | mean activation 0.056412, plain 0.5272; squared error 8.900, plain 2.663 | [Ng 2011](https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf) |
# | contractive codes, then all labels | `ContractiveAutoencoder` | [contractive_autoencoder_mnist](../../recipes/contractive_autoencoder_mnist.py) | test error 1.670%; paper 1.14%, nearest neighbors of strokes 1.550% | [Rifai et al. 2011](https://icml.cc/2011/papers/455_icmlpaper.pdf) |
# | few labels | `Autoencoder` | [embeddings_mnist](../../recipes/embeddings_mnist.py) | 76.5% with 100 labels; gradient histograms 84.79%, pixels 75.9% | [Hinton, Salakhutdinov 2006](https://doi.org/10.1126/science.1127647) |
