# %% [markdown]
# # 13. Diffusion and flow matching
#
# It is easy to turn data into noise: add noise repeatedly. Diffusion models and flow matching learn
# the reverse. A network receives a noisy point and predicts the mean of the noise, or of the data,
# from which the point may have come. This is plain regression, without a game and without an
# encoder to train.
#
# After this chapter, you can explain what the network learns, derive the losses of DDPM and flow
# matching, write both samplers, and compute exact likelihoods. We use 2-D points, for which the
# correct answers are known, and look at images at the end.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, with fewer steps and points.

# %%
import os
from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.special import ndtr

from keras_gen import DDPM, FlowMatching
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.data import Source, checkerboard
from keras_gen.diffusion import LinearPath
from keras_gen.diffusion.paths import posterior, variance_between
from keras_gen.networks import time_mlp
from keras_gen.workshop.visualize import new_figure, planar_densities, show

QUICK = bool(os.environ.get("QUICK"))
DRAWS = 1_000 if QUICK else 1_000_000  # for numerical checks
STEPS = 4 if QUICK else 5000  # for training DDPM
FLOW_STEPS = 4 if QUICK else 4000  # for each flow matching run
PER_CALL = 2 if QUICK else 100  # training steps per TensorFlow call
POINTS = 50 if QUICK else 2000  # number of samples
MOST_STEPS = 20 if QUICK else 1000  # of a sampler
SIDE = 20 if QUICK else 100  # points per axis of a grid
WIDTH = 8 if QUICK else 96  # units in each layer of the networks
BLOCKS = 1 if QUICK else 3  # number of their layers, except the first and the last

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# The data are points on the black squares of a checkerboard. They have gaps and sharp edges, and
# their density is known: 1/8 on a black square, and 0 elsewhere.

# %%
BOARD = checkerboard(side=1.0)
train = Source(BOARD.sample(50_000, seed=0), origin="a checkerboard, 50,000 points")
test = BOARD.sample(POINTS, seed=1)

# %% [markdown]
# ## 1. Noising
#
# Time runs from 0, the data, to 1, pure noise. The chain of DDPM (Ho et al. 2020) has $T = 1000$
# steps. Each step shrinks the point slightly and adds a little noise:
#
# $$x_t = \sqrt{1 - \beta} x_s + \sqrt{\beta} \epsilon, \qquad t = s + 1/T, \quad
# \epsilon \sim N(0, I).$$
#
# The number $\beta$ grows from 0.0001 to 0.02 along the chain. The steps do not have to be computed
# one by one. Suppose that $x_s = \alpha_s x + \sigma_s \epsilon'$ with $\sigma_s^2 = 1 -
# \alpha_s^2$. Then $x$ has the factor $\alpha_t = \sqrt{1 - \beta} \alpha_s$ in $x_t$. The noise in
# $x_t$ is the sum of two independent normal variables, so the variances add up: $(1 - \beta)
# \sigma_s^2 + \beta = 1 - (1 - \beta) \alpha_s^2 = 1 - \alpha_t^2$. So at all times
#
# $$x_t = \alpha(t) x + \sigma(t) \epsilon, \qquad \alpha(t)^2 = \prod (1 - \beta), \qquad
# \sigma(t)^2 = 1 - \alpha(t)^2.$$
#
# The paper writes $\bar\alpha_t$ for $\alpha(t)^2$. In the library, `LinearPath` implements this
# chain. We simulate all thousand steps for many copies of one number and compare the results with
# these formulas.

# %%
PATH = LinearPath()
x = 1.5
betas = np.linspace(1e-4, 0.02, 1000)
x_t = np.full(DRAWS // 10, x)
print("time   mean of the chain   alpha(t) x   variance of the chain   sigma(t)^2")
for number, beta in enumerate(betas, start=1):
    x_t = np.sqrt(1 - beta) * x_t + np.sqrt(beta) * random.normal(size=x_t.shape)
    if number % 250 == 0:
        t = tf.constant(number / 1000, "float64")
        mean, variance = PATH.alpha(t) * x, PATH.sigma(t) ** 2
        print(f"{t:4.2f} {x_t.mean():19.4f} {mean:12.4f} {x_t.var():23.4f} {variance:12.4f}")

left_over = PATH.alpha(tf.constant(1.0, "float64")) ** 2
divergence = 0.5 * (left_over * x**2 - left_over - np.log1p(-left_over))
print(f"\nalpha-bar of the last step                     {left_over:.3e}")
print(f"KL of the end from N(0, 1), for the number 1.5 {divergence:.1e} nats")

# %% [markdown]
# **Why is the end pure noise?** The product of all $1 - \beta$ is $\bar\alpha_T = 0.00004$. So only
# a fraction $\alpha(1) = 0.006$ of $x$ remains, under noise with standard deviation 1. The end of
# the chain barely depends on its start, so we can sample the end without any data.

# %%
drawn = new_figure(11, 2.6)
for axes, t in zip(drawn.subplots(1, 5), (0.0, 0.1, 0.25, 0.5, 1.0), strict=True):
    noise = random.normal(size=test.shape).astype("float32")
    axes.scatter(*PATH.at(tf.constant(t), test, noise).numpy().T, s=1.5, linewidths=0)
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    axes.set_title(f"t = {t:g}, alpha = {PATH.alpha(tf.constant(t)):.2f}")
show(drawn, "noising", "The points of the board at five times.")

# %% [markdown]
# ## 2. The best prediction is a conditional mean, and the score
#
# A network $\epsilon_\theta(x_t, t)$ predicts the noise from the noisy point. Its loss is the
# squared error. Many pairs of $x$ and $\epsilon$ give the same $x_t$, so no network can be right
# every time. Which prediction $f$ has the smallest loss? We may choose it for each $x_t$
# separately. The derivative of $E( |\epsilon - f|^2 \mid x_t )$ with respect to $f$ is $-2 (
# E(\epsilon \mid x_t) - f )$, which is 0 at
#
# $$f(x_t) = E(\epsilon \mid x_t).$$
#
# This is the **mean over all noises that could have been added**. The same mean is also related to
# the score. The density of $x_t$ is a mean over data, $q(x_t) = \int p(x) q(x_t \mid x) dx$, with
# the normal density $q(x_t \mid x)$ with mean $\alpha x$ and variance $\sigma^2$. The gradient with
# respect to $x_t$ can be moved inside the integral, and with $\epsilon = (x_t - \alpha x) /
# \sigma$,
#
# $$\nabla q(x_t) = \int p(x) q(x_t \mid x) \frac{-(x_t - \alpha x)}{\sigma^2} dx
# = -\frac{1}{\sigma} \int p(x) q(x_t \mid x) \epsilon dx.$$
#
# Divide by $q(x_t)$. On the left is the gradient of the logarithm, called the **score**. On the
# right, $p(x) q(x_t \mid x) / q(x_t)$ is the density of $x$ given $x_t$, by Bayes' rule. So
#
# $$\nabla \log q(x_t) = -\frac{1}{\sigma} E(\epsilon \mid x_t).$$
#
# This is Tweedie's formula. Predicting the noise is equivalent to knowing the direction in which
# the density grows. We check this on an example in which everything is known: the data are five
# points. Then the conditional mean is a weighted sum of five noises, and the score comes from
# automatic differentiation of $\log q$. A million samples show the target of the regression: the
# mean noise of the samples near a given point.

# %%
FIVE = np.array([[-1.5, -1.0], [-1.0, 1.2], [0.2, -0.3], [1.2, 1.3], [1.5, -0.8]])


def mean_noise_of_five(x_t, t):
    """Returns E(noise | x_t) for points `[n, 2]`, if the data are the five points."""
    alpha, sigma = PATH.alpha(t).numpy(), PATH.sigma(t).numpy()
    noises = (x_t[:, None] - alpha * FIVE) / sigma  # [n, 5, 2]
    weights = np.exp(-0.5 * np.sum(noises**2, axis=-1))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.sum(weights[..., None] * noises, axis=1)


def log_q_of_five(x_t, t):
    """Returns log q(x_t) up to a constant, `[n]`."""
    squares = tf.reduce_sum((x_t[:, None] - PATH.alpha(t) * FIVE) ** 2, axis=-1)
    return tf.reduce_logsumexp(-squares / (2 * PATH.sigma(t) ** 2), axis=1)


t = tf.constant(0.25, "float64")
place = tf.constant([[0.6, 0.4]], "float64")
with tf.GradientTape() as tape:
    tape.watch(place)
    log_q = log_q_of_five(place, t)
score = tape.gradient(log_q, place)

noise = random.normal(size=(DRAWS, 2))
x_t = PATH.at(t, FIVE[random.integers(5, size=DRAWS)], noise).numpy()
near = noise[np.sum((x_t - place.numpy()) ** 2, axis=1) < 0.1**2]
error = near.std(axis=0) / len(near) ** 0.5
print("E(noise | x_t), Bayes' rule     ", mean_noise_of_five(place.numpy(), t)[0].round(4))
print("-sigma times the score          ", -(PATH.sigma(t) * score)[0].numpy().round(4))
print(
    f"mean of {len(near):5} draws near there  ", near.mean(axis=0).round(4), "±", error.round(4)
)

# %%
axis = np.linspace(-2.4, 2.4, 100)
grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
axis = np.linspace(-2.2, 2.2, 15)
places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
drawn = new_figure(10.5, 3.7)
for axes, time in zip(drawn.subplots(1, 3), (0.1, 0.25, 0.5), strict=True):
    t = tf.constant(time, "float64")
    density = np.exp(log_q_of_five(grid, t)).reshape(100, 100)
    axes.imshow(density, cmap="Blues", origin="lower", extent=(-2.4, 2.4, -2.4, 2.4))
    axes.quiver(*places.T, *-mean_noise_of_five(places, t).T, width=0.004)
    axes.scatter(*(PATH.alpha(t) * FIVE).numpy().T, marker="x", color="tab:red")
    axes.set(title=f"t = {time:g}", xticks=[], yticks=[])
show(
    drawn,
    "scores",
    "Minus the mean noise at three times: uphill on q(x_t), in blue. Crosses: alpha times the data.",
)

# %% [markdown]
# With little noise, each arrow points to one of the data points. With a lot of noise, the arrows
# point to the center of all five points, because each of them is a possible origin.
#
# ## 3. The loss of DDPM
#
# DDPM is a variational autoencoder ([chapter 4](04_vae.md)) whose encoder is fixed: the encoder is
# the chain of section 1, and the latents are all states of the chain. The decoder is a chain in the
# reverse direction, $p(x_s \mid x_t)$, from $p(x_1) = N(0, I)$. The negative ELBO is a sum that
# contains a divergence for each step (equation 5 of the paper):
#
# $$\mathrm{KL}(q(x_1 \mid x), p(x_1)) + \sum_t E \mathrm{KL}(q(x_s \mid x_t, x), p(x_s \mid x_t)) +
# E[-\log p(x \mid x_{1/T})].$$
#
# The first term has no trainable parameters and is nearly 0. The other terms compare a reverse step
# of the model with the **posterior** $q(x_s \mid x_t, x)$: the reverse step if $x$ were known. By
# Bayes' rule, this posterior is proportional to $q(x_s \mid x) q(x_t \mid x_s)$. Both factors are
# normal densities, so the posterior is normal, too. The precisions (the inverses of the variances)
# add up, and the mean is weighted by precision. With $a = \alpha_t / \alpha_s$ and the variance
# $\beta = \sigma_t^2 -
# a^2 \sigma_s^2$ of the step:
#
# $$\tilde\beta = \left( \frac{1}{\sigma_s^2} + \frac{a^2}{\beta} \right)^{-1}
# = \frac{\beta \sigma_s^2}{\sigma_t^2}, \qquad
# \tilde\mu = \tilde\beta \left( \frac{\alpha_s x}{\sigma_s^2} + \frac{a x_t}{\beta} \right)
# = \frac{\alpha_s \beta}{\sigma_t^2} x + \frac{a \sigma_s^2}{\sigma_t^2} x_t.$$
#
# `posterior` implements this formula (equations 6 and 7). We compare it with Bayes' rule itself:
# multiply both densities on a fine grid, and compute the mean and variance.

# %%
s, t = (tf.constant(time, "float64") for time in (0.3, 0.4))
x, x_t = 1.5, -0.4
grid = np.linspace(-6, 6, 24_001)
step = variance_between(PATH, t, s)
products = np.exp(
    -0.5 * ((grid - PATH.alpha(s) * x) / PATH.sigma(s)) ** 2
    - 0.5 * (x_t - PATH.alpha(t) / PATH.alpha(s) * grid) ** 2 / step
)
products /= products.sum()
mean = np.sum(products * grid)
by_formula = posterior(PATH, t, s, tf.constant([[x_t]], "float64"), x)
print(
    f"Bayes' rule on a grid: mean {mean:.5f}, variance {np.sum(products * (grid - mean) ** 2):.5f}"
)
print(f"posterior:             mean {by_formula[0][0, 0]:.5f}, variance {by_formula[1]:.5f}")

# %% [markdown]
# The model does not know $x$. It predicts the noise, which determines an example $\hat x = (x_t -
# \sigma_t \epsilon_\theta) / \alpha_t$. Let its reverse step be the posterior with $\hat x$ instead
# of $x$. Then both normal distributions have the variance $\tilde\beta$, and their divergence is
# $|\tilde\mu - \hat\mu|^2 / (2 \tilde\beta)$ (equation 8). The means differ by $\alpha_s \beta /
# \sigma_t^2$ times $x - \hat x$, and $x - \hat x = -(\sigma_t / \alpha_t) (\epsilon -
# \epsilon_\theta)$. Combining these equations, with $\alpha_t^2 = (1 - \beta) \alpha_s^2$ for
# neighbors in the chain, gives
#
# $$\mathrm{KL} = w(t) |\epsilon - \epsilon_\theta|^2, \qquad
# w(t) = \frac{\beta}{2 (1 - \beta) \sigma_s^2}.$$
#
# This is equation 12 for the variance $\tilde\beta$; with the variance $\beta$, $\sigma_s$ becomes
# $\sigma_t$, and a constant is added. So the bound on the likelihood is a squared error in the
# noise, with a weight that depends on the time. DDPM drops the weight (equation 14):
#
# $$L = E_{t, x, \epsilon} |\epsilon - \epsilon_\theta(\alpha(t) x + \sigma(t) \epsilon, t)|^2.$$

# %%
steps = np.arange(2, 1001)
t, s = tf.constant(steps / 1000), tf.constant((steps - 1) / 1000)
beta = variance_between(PATH, t, s).numpy()
weights = beta / (2 * (1 - beta) * PATH.sigma(s).numpy() ** 2)

x, noise, predicted = tf.unstack(random.normal(size=(3, 999, 1)))
x_t = PATH.at(t, x, noise)
example = PATH.parts("noise", t, x_t, predicted).example
true_mean, variance = posterior(PATH, t, s, x_t, x)
model_mean, _ = posterior(PATH, t, s, x_t, example)
divergences = ((true_mean - model_mean) ** 2 / (2 * variance)).numpy()[:, 0]
squares = (noise - predicted).numpy()[:, 0] ** 2
worst = np.max(np.abs(weights * squares / divergences - 1))
print(f"largest relative error of the formula, 999 steps: {worst:.0e}")
print(
    f"weight at step 2: {weights[0]:.2f}, at 100: {weights[98]:.4f}, at 1000: {weights[-1]:.4f}"
)
drawn = new_figure(6.5, 4)
axes = drawn.subplots()
axes.plot(steps / 1000, weights, label="w(t), the bound")
axes.axhline(1, color="tab:orange", label="1, equation 14")
axes.set(yscale="log", xlabel="t", ylabel="weight of the squared error")
axes.legend()
show(
    drawn,
    "weights",
    "The bound weights the first steps most; equation 14 weights all steps equally.",
)

# %% [markdown]
# The bound gives most weight to the first steps, where the noise is too small to be visible.
# Equation 14 gives relatively more weight to large noise, where the shape of an image is
# determined. Both losses are minimized by the same prediction, $E(\epsilon \mid x_t)$, if the
# network can represent any function at each $t$. For a network of limited size, the weights
# determine at which times it should be most accurate.
#
# ## 4. The training step
#
# Here is algorithm 1 as a model in this library. `GenerativeModel` provides an optimizer, the data
# check (`prepare_batch`), noise (`normal`, `uniform`), and the update (`minimize`).


# %%
class PlainDDPM(GenerativeModel):
    """A model whose network predicts the noise from points x_t and times t."""

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.edges["x"] = Vectors((2,))

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]
        # One of 1/1000, ..., 1 for each point.
        t = tf.floor(1 + 1000 * self.uniform("times", [tf.shape(x)[0]])) / 1000
        noise = self.normal("noise", tf.shape(x))
        x_t = PATH.at(t, x, noise)

        def squared_error():
            predicted = self.network([x_t, t], training=True)
            return tf.reduce_mean(tf.square(noise - predicted), axis=-1)

        return self.report(loss=self.minimize(squared_error))


def trained(model, steps, batch):
    """Trains with a learning rate that decays from 0.002 to 0."""
    model.compile(Adam(CosineDecay(2e-3, steps)), steps_per_execution=PER_CALL)
    stream = train.stream(batch, 0)
    losses = model.fit(stream, steps_per_epoch=steps // 2, epochs=2, verbose=0).history["loss"]
    print(f"loss {losses[0]:.4f} in the first half, {losses[1]:.4f} in the second")
    return model


network = time_mlp((2,), WIDTH, BLOCKS)
plain = trained(PlainDDPM(network), STEPS, 256)

# %% [markdown]
# The class `DDPM` has the same step and adds samplers, the bound, and saving. It accepts the
# network unchanged, so the new model is already trained:

# %%
ddpm = DDPM(network, data="vectors")
ddpm.compile("adam")
both = [
    each.evaluate(np.tile(test, (10, 1)), batch_size=500, return_dict=True, verbose=0)["loss"]
    for each in (plain, ddpm)
]
print(f"loss on test points: PlainDDPM {both[0]:.3f}, DDPM {both[1]:.3f}")
print("the losses differ because noise and times are sampled")

# %% [markdown]
# The loss does not go to 0, and should not, because $x_t$ does not determine the noise. Is the
# remaining loss equal to the variance of the noise given $x_t$? For the checkerboard, $q(x_t)$ is
# known: the density of the sum of a uniform number and a normal number is a difference between two
# values of the normal distribution function $\Phi$. So we know the score and, by section 2, the
# best prediction. The squared error of any prediction is the error of the best prediction plus the
# mean squared distance between the two predictions.


# %%
def best_prediction(x_t, t):
    """Returns E(noise | x_t) for points `[n, 2]` of the board, from the score of q(x_t)."""
    alpha, sigma = PATH.alpha(t).numpy(), PATH.sigma(t).numpy()
    low = (x_t[:, None] - alpha * BOARD.corners) / sigma  # [n, 8, 2]
    high = (x_t[:, None] - alpha * (BOARD.corners + BOARD.side)) / sigma
    factors = ndtr(low) - ndtr(high)
    slopes = (np.exp(-0.5 * low**2) - np.exp(-0.5 * high**2)) / np.sqrt(2 * np.pi) / sigma
    density = factors.prod(axis=-1).sum(axis=1, keepdims=True)
    gradient = np.sum(slopes * factors[..., ::-1], axis=1)
    return -sigma * gradient / density


x = BOARD.sample(10 * POINTS, seed=2).astype("float64")
print("   t   best possible   + distance   = sum   the network's squared error")
for time in (0.05, 0.1, 0.2, 0.4, 0.8):
    t = tf.constant(time, "float64")
    noise = random.normal(size=x.shape)
    x_t = PATH.at(t, x, noise).numpy()
    best = best_prediction(x_t, t)
    predicted = network([x_t.astype("float32"), np.full(len(x), time, "float32")]).numpy()
    least, distance, loss = (
        np.mean(squares)
        for squares in ((noise - best) ** 2, (best - predicted) ** 2, (noise - predicted) ** 2)
    )
    print(f"{time:4.2f} {least:15.4f} {distance:12.4f} {least + distance:7.4f} {loss:13.4f}")

# %% [markdown]
# Nearly all of the loss is unavoidable for any network. A loss of 0.77 would be very good at time
# 0.05, and 0.01 would be bad at time 0.8: losses at different times are not comparable. Training
# can still reduce the loss at small $t$, where the squares have sharp edges.
#
# ## 5. Sampling
#
# **Ancestral.** Sample $x_1$ from $N(0, I)$. Predict the noise, and compute $\hat x$ from it.
# Sample $x_s$ from the posterior with $\hat x$ in place of $x$, and repeat these steps until time 0
# (algorithm 2).
#
# ![A chain of variables from the example to pure noise. Solid arrows add noise. Dashed arrows show a sampling step: from the noisy point and its time, the network predicts the noise, and the step computes an earlier point.](diagrams/13_chain.svg)
#
# *The chain. Solid: noise is added. Dashed: one sampling step from time t to the earlier time s.*
#
# **DDIM** (Song et al. 2021) adds no new noise. It recombines the predicted example and the
# predicted noise at the earlier time:
#
# $$x_s = \alpha_s \hat x + \sigma_s \epsilon_\theta.$$
#
# Divide by $\alpha_s$, and write $r = \sigma / \alpha$. With $\hat x = (x_t - \sigma_t
# \epsilon_\theta) / \alpha_t$, this is
#
# $$\frac{x_s}{\alpha_s} = \frac{x_t}{\alpha_t} + (r_s - r_t) \epsilon_\theta,$$
#
# an Euler step for the differential equation $dy / dr = \epsilon_\theta$, with $y = x_t /
# \alpha_t$. So each latent $x_1$ leads to one sample. More steps solve the same equation more
# accurately, so the end point barely changes. Both samplers are special cases of one formula
# (equations 12 and 16 of Song et al.), with $\eta = 0$ for DDIM and $\eta = 1$ for ancestral
# sampling:
#
# $$x_s = \alpha_s \hat x + \sqrt{\sigma_s^2 - \eta^2 \tilde\beta} \epsilon_\theta +
# \eta \sqrt{\tilde\beta} \epsilon.$$


# %%
@tf.function
def step_back(x_t, t, s, eta, fresh):
    """Moves points from time t to s."""
    noise = network([x_t, tf.fill([tf.shape(x_t)[0]], t)])
    example = (x_t - PATH.sigma(t) * noise) / PATH.alpha(t)
    _, variance = posterior(PATH, t, s, x_t, example)
    kept = tf.sqrt(PATH.sigma(s) ** 2 - eta**2 * variance)
    return PATH.alpha(s) * example + kept * noise + eta * tf.sqrt(variance) * fresh


def sampled(latents, steps, eta):
    """Maps latents `[n, 2]` at time 1 to 2-D points."""
    x = latents
    for t, s in pairwise(PATH.times(steps)):
        fresh = random.normal(size=latents.shape).astype("float32")
        x = step_back(x, t, s, tf.constant(eta), fresh)
    return x.numpy()


def off_board(points):
    """Returns the fraction of points on white squares or outside the board."""
    return np.mean(np.isinf(BOARD.log_density(points)))


latents = random.normal(size=(POINTS, 2)).astype("float32")
difference = np.abs(sampled(latents, 100, eta=0.0) - ddpm.decode(latents)).max()
print(f"this sampler and `DDPM.decode`, 100 steps: largest difference {difference:.0e}")
counts = [count for count in (2, 5, 10, 20, 50, 100, 1000) if count <= MOST_STEPS]
made = {
    name: {count: sampled(latents, count, eta) for count in counts}
    for name, eta in (("DDIM", 0.0), ("ancestral", 1.0))
}
off = {name: [off_board(points) for points in found.values()] for name, found in made.items()}
limit = made["DDIM"][counts[-1]]
moved = [np.sqrt(np.mean((points - limit) ** 2)) for points in made["DDIM"].values()]
print("steps   on white squares: DDIM   ancestral   DDIM's distance from its last sample")
for count, first, second, distance in zip(counts, *off.values(), moved, strict=True):
    print(f"{count:5} {first:24.1%} {second:11.1%} {distance:17.3f}")

# %%
drawn = new_figure(11, 4.6)
shown = [count for count in (5, 10, 20, 100, 1000) if count <= MOST_STEPS]
# Colors that color-blind readers can distinguish (Okabe, Ito).
colors = np.array(["#0072B2", "#E69F00", "#CC79A7", "#000000"])
quadrants = colors[2 * (latents[:, 0] > 0) + (latents[:, 1] > 0)]
panels = drawn.subplots(2, len(shown))
for row, (name, found) in zip(panels, made.items(), strict=True):
    for axes, count in zip(row, shown, strict=True):
        axes.scatter(*found[count].T, s=2, linewidths=0, c=quadrants)
        axes.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal", xticks=[], yticks=[])
        axes.set_title(f"{name}, {count} steps")
show(
    drawn,
    "samplers",
    "Samples from the same latents, colored by the quadrant of the latent.",
)

# %%
drawn = new_figure(10, 3.8)
left, right = drawn.subplots(1, 2)
for name, values in off.items():
    left.plot(counts, 100 * np.array(values), marker="o", label=name)
left.set(xscale="log", xlabel="steps", ylabel="% of samples on white squares")
left.legend()
right.plot(counts[:-1], moved[:-1], marker="o")
right.set(xscale="log", yscale="log", xlabel="steps")
right.set_ylabel(f"DDIM: distance from {counts[-1]} steps")
show(drawn, "steps", "Left: errors of both samplers. Right: the same latents, with more steps.")

# %% [markdown]
# With DDIM, the colors stay in place: the same latent gives the same sample, whether there are few
# or many steps. With ancestral sampling, the new noise mixes the colors. Both samplers need about
# 20 steps here. With more steps, the number of points on white squares does not decrease. So the
# remaining error should come from the *network*, not from the number of steps. We can verify this
# by also running DDIM with the best prediction from section 4.

# %%
for count in (20, min(100, MOST_STEPS)):
    x_t = latents.astype("float64")
    for t, s in pairwise(tf.cast(PATH.times(count), tf.float64)):
        noise = best_prediction(x_t, t)
        example = (x_t - PATH.sigma(t) * noise) / PATH.alpha(t)
        x_t = (PATH.alpha(s) * example + PATH.sigma(s) * noise).numpy()
    print(f"best prediction, {count:3} steps of DDIM: {off_board(x_t):.1%} on white squares")

# %% [markdown]
# Without any network error, 20 steps leave 5% on white squares, and 100 steps almost none. So from
# about 100 steps on, the network causes all of the 11% measured above, and only longer training
# helps.
#
# ## 6. Flow matching
#
# Why this path, and why predict the noise? Lipman et al. and Liu et al. (2023) use the simplest
# path, a straight line, and predict the velocity along it:
#
# $$x_t = (1 - t) x + t \epsilon, \qquad \frac{dx_t}{dt} = \epsilon - x.$$
#
# The network learns, by squared error, the conditional mean $u(x_t, t) = E(\epsilon - x \mid x_t)$.
# Each pair has its own line, but the network knows only $x_t$, and returns one velocity for all
# lines that cross at this point. Why do points that move with this velocity have the correct
# distribution at all times? Let $h$ be any smooth function. By the chain rule, and then by
# averaging first for given $x_t$:
#
# $$\frac{d}{dt} E[ h(x_t) ] = E \left[ \nabla h(x_t) \cdot \frac{dx_t}{dt} \right]$$
#
# $$= E \left[ \nabla h(x_t) \cdot E \left( \frac{dx_t}{dt} \mid x_t \right) \right]$$
#
# $$= E [ \nabla h(x_t) \cdot u(x_t, t) ].$$
#
# The last line is the rate at which the mean of $h$ changes if points with the density of $x_t$
# move with velocity $u$ alone. So both motions change the means of all $h$ at the same rate. They
# also start from the same density, so they have the same density at all times, provided that $u$ is
# smooth enough in $x$ (Lipschitz) for this equation to have only one solution. And regression on
# the velocities of single lines is sufficient, because $u$ is the conditional mean of these
# velocities.
#
# This argument used neither the straight line nor the independence of noise and data. On the path
# of section 1, the velocity is $\alpha' E(x \mid x_t) + \sigma' E(\epsilon \mid x_t)$, and DDIM
# follows the corresponding differential equation. So diffusion and flow matching are the same
# method with different paths, weights, and names.
#
# **The same path as a stochastic equation.** With very many steps, the chain of section 1 becomes
# $dx = -\frac{1}{2} b(t) x dt + \sqrt{b(t)} dW$, where $b(t) dt$ is the variance of the noise that
# is added during $dt$, and $W$ is Brownian motion. Song et al. (2021) show that two equations lead
# back from time 1 to time 0 with the same densities: the **reverse stochastic equation** and the
# **probability-flow equation**,
#
# $$dx = \left[ -\tfrac{1}{2} b x - b \nabla \log q(x, t) \right] dt + \sqrt{b} d\bar W, \qquad
# \frac{dx}{dt} = -\tfrac{1}{2} b x - \tfrac{1}{2} b \nabla \log q(x, t).$$
#
# Ancestral sampling solves the first equation and DDIM the second. The second follows from the
# argument above. Noise with variance $b dt$ changes the density by $\frac{1}{2} b \Delta q dt$, and
# $\Delta q = \nabla \cdot (q \nabla \log q)$, so a velocity of $-\frac{1}{2} b \nabla \log q$
# spreads the density in the same way without noise. The first equation moves twice as far along the
# score and compensates for it with new noise.
#
# **Are the paths straight?** The *lines* are, but the paths of $u$ bend where lines cross. Tong et
# al. (2024) assign the noise of each batch to its points so that the sum of squared distances is
# minimal: **optimal pairing**. Two points on lines of such a pairing never meet, because if they
# did, exchanging the ends of their lines would shorten the lines. So fewer lines conflict with each
# other. The straightness is the mean squared distance between the velocity along the path and the
# velocity along the line from end to end. It is 0 for straight paths at constant speed, and then
# *one* Euler step is exact.

# %%
flows = {}
for pairing in ("independent", "optimal"):
    flow = FlowMatching(time_mlp((2,), WIDTH, BLOCKS), pairing=pairing, data="vectors")
    flows[pairing] = trained(flow, FLOW_STEPS, 128)
print("on white squares after    1 step   2 steps   4 steps   50 steps   straightness")
for pairing, flow in flows.items():
    found = [
        off_board(flow.sample(POINTS, seed=1, steps=count, solver="euler"))
        for count in (1, 2, 4, 50)
    ]
    bent = flow.straightness(POINTS)
    print(f"{pairing:19}", *(f"{fraction:10.1%}" for fraction in found), f"{bent:14.3f}")


# %%
def paths(model, latents, steps=60):
    """Returns the paths of latents `[n, 2]` under the equation, `[steps + 1, n, 2]`."""
    path = model.probability_path
    times = path.times(steps)

    @tf.function
    def step_back(x_t, t, s):
        parts = model.parts(x_t, t)
        return path.alpha(s) * parts.example + path.sigma(s) * parts.noise

    found = [tf.constant(latents)]
    for t, s in pairwise(times):
        found.append(step_back(found[-1], t, s))
    return np.stack(found)


models = {"diffusion (DDIM)": ddpm, "flow, independent": flows["independent"]}
models["flow, optimal pairing"] = flows["optimal"]
drawn = new_figure(10.5, 3.8)
for axes, (name, model) in zip(drawn.subplots(1, 3), models.items(), strict=True):
    lines = paths(model, latents[:60])
    axes.plot(*lines.transpose(2, 0, 1), color="tab:gray", linewidth=0.8)
    axes.scatter(*lines[0].T, s=10, color="tab:blue", label="noise", zorder=3)
    axes.scatter(*lines[-1].T, s=10, color="tab:red", label="sample", zorder=3)
    axes.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[], yticks=[], title=name)
axes.legend(loc="lower right")
show(drawn, "paths", "The paths of the same 60 latents under three trained models.")

# %%
drawn = new_figure(11, 3)
panels = iter(drawn.subplots(1, 4))
for pairing, flow in flows.items():
    for count in (1, 4):
        axes = next(panels)
        points = flow.sample(POINTS, seed=1, steps=count, solver="euler")
        axes.scatter(*points.T, s=2, linewidths=0)
        axes.set(xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal", xticks=[], yticks=[])
        axes.set_title(f"{pairing}, {count} step{'s' if count > 1 else ''}")
show(drawn, "few_steps", "One and four Euler steps, for both pairings.")

# %% [markdown]
# One step from time 1 goes to $x_1 - u(x_1, 1)$. With independent pairing, the noise contains no
# information about the example with which it is paired. So $u(\epsilon, 1) = \epsilon - E(x)$, and
# *all* samples end at the same point, the mean of the data. Black and white squares meet at this
# point, so half of the samples count as wrong. With optimal pairing, the noise indicates where its
# example is, and one step already spreads the points over the board, though without sharp edges
# between squares: the pairing is optimal only within batches of 128 examples. The loss shows the
# same effect: where lines rarely cross, the velocity barely varies, and the unavoidable part of the
# loss nearly disappears.
#
# ## 7. Exact likelihoods
#
# A differential equation is a flow: it moves mass without losing any. Where the velocity spreads
# points, the density falls. Along a path
#
# $$\frac{d}{dt} \log q(x_t) = -\nabla \cdot u(x_t, t),$$
#
# with the divergence $\nabla \cdot u$, the sum of $\partial u_i / \partial x_i$. So follow a point
# from time 0 to time 1, where the density is normal, and integrate the divergence (Chen et al.
# 2018):
#
# $$\log q(x_0) = \log N(x_1; 0, I) + \int_0^1 \nabla \cdot u(x_t, t) dt.$$
#
# `FlowMatching.log_prob` does this with a Runge–Kutta method. Unlike the likelihoods of DDPM and
# the VAE, the result is not a bound. Its only error is the error of the numerical solution. If this
# error is small, the density of the *model* must have total mass 1, however good the model is. And
# the mean of $\log p - \log q$ over test points is the KL divergence from the checkerboard to the
# model.

# %%
axis = np.linspace(-3.2, 3.2, SIDE)
grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2).astype("float32")
print("pairing       mass on the grid   KL from the board, nats")
for pairing, flow in flows.items():
    mass = np.exp(flow.log_prob(grid)).sum() * (axis[1] - axis[0]) ** 2
    nats = BOARD.log_density(test) - flow.log_prob(test)
    print(f"{pairing:12} {mass:17.4f} {nats.mean():16.3f} ± {nats.std() / len(nats) ** 0.5:.3f}")

# %%
densities = {
    "the board": BOARD.log_density,
    "flow, optimal pairing": flows["optimal"].log_prob,
}
show(
    planar_densities({"test points": (test, densities)}, span=2.6, side=SIDE),
    "densities",
    "Test points, their density, and the exact density of a flow.",
)

# %% [markdown]
# ## 8. Images
#
# For images, only the network changes: a U-Net instead of dense layers, as built by
# `DDPM.for_images` and `FlowMatching.for_images`. [Chapter 14](14_diffusion_that_draws.md) draws
# this network, trains it on small digits, derives classifier-free guidance with labels, and compares
# solvers such as Heun's method, which averages the velocities at both ends of a step. For
# clothes of 28 × 28 pixels, training takes an hour or more on CPU cores, so we look at a published
# run. Time runs from left to right, from noise to clothes. Large structures appear first, and small
# structures last.
#
# ![Noise in which clothes appear from left to right.](../../recipes/results/flow_matching_fashion_mnist_emerging.png)
#
# ## 9. Common claims, and what is true
#
# - **"The reverse process removes the noise that was added."** The added noise is unknown. The
#   network predicts the *mean* over all noises that could have been added, and section 4 shows how
#   far a single noise is from this mean. At large $t$, $\hat x$ is blurred, because it is the mean
#   of many examples, so one large reverse step does not give a sample.
# - **"DDPM needs 1000 steps to sample."** DDPM is *trained* at 1000 points in time. The number of
#   sampling steps is chosen afterward (section 5): the network only predicts the mean noise at a
#   given time, and any solver may use this prediction.
# - **"A lower loss means better samples."** Most of the loss is a variance that no network can
#   remove. It also depends on the time weights and on the prediction target.
# - **"Flow matching has straight paths."** Only its *conditional* paths, from one noise sample to
#   one point, are straight. The paths of generated samples are curved, as section 6 shows.
# - **"Diffusion models have no latents."** The noise at time 1 is the latent, with the size of the
#   example. With DDIM, it determines the sample.
#
# ## Questions
#
# **1.** A dataset has only one point. What does the best network predict, and how many DDIM steps
# are needed?
#
# <details markdown="1"><summary>Answer</summary>
#
# Every noisy point comes from this one point $c$, so $E(\epsilon \mid x_t) = (x_t - \alpha c) /
# \sigma$, which is exactly the noise that was added. Then $\hat x = c$ at any time, and one step is
# enough. Several steps are needed only if there are several possible origins.
#
# </details>
#
# **2.** A network with unlimited capacity is trained on a finite training set until its loss is
# minimal. What do its samples look like?
#
# <details markdown="1"><summary>Answer</summary>
#
# The best prediction is given in section 2, with all training points in place of the five points.
# The resulting score leads exactly to these training points, so the network only reproduces the
# training set. New samples come from the network's *failure* to fit: the network is smooth and
# cannot fit each point. The minimum loss on the training set is not the goal.
#
# </details>
#
# **3.** Change the code: in `sampled`, omit the new noise, but keep everything else as it is for
# $\eta = 1$. What do the samples after 100 steps look like, and why?
#
# <details markdown="1"><summary>Answer</summary>
#
# Write `fresh = 0.0 * latents`. All samples land in nearly the same place in the middle of the
# board: with the best prediction, their standard deviation is 0.07 instead of 1.1. After each step,
# the point now contains less noise than $x_s$ should: the variance is $\sigma_s^2 - \tilde\beta$
# instead of $\sigma_s^2$. The network still assumes the noise of time $s$ and removes too much of
# it. DDIM omits the new noise *and* keeps $\sigma_s \epsilon_\theta$.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | image diffusion | `DDPM` | [ddpm_fashion_mnist](../../recipes/ddpm_fashion_mnist.py) | kernel distance 0.05121, with 10 steps 0.09437; Gaussian mixture 0.1349 | [Ho et al. 2020](https://arxiv.org/abs/2006.11239) |
# | flow matching on images | `FlowMatching` | [flow_matching_fashion_mnist](../../recipes/flow_matching_fashion_mnist.py) | kernel distance 0.06524, with 10 steps 0.07591; Gaussian mixture 0.1349 | [Lipman et al. 2023](https://arxiv.org/abs/2210.02747) |
# | class-conditional digits, with guidance | `ConditionalDDPM` | [guided_ddpm_mnist](../../recipes/guided_ddpm_mnist.py) | kernel distance within classes 0.1180; Gaussian mixture per class 0.2550 | [Ho, Salimans 2022](https://arxiv.org/abs/2207.12598) |
# | paths and pairings, in nats | `FlowMatching` | [flow_matching_plane](../../recipes/flow_matching_plane.py) | optimal pairing 0.0634 nats; histogram 0.0022, Gaussian mixture 0.1323 | [Tong et al. 2024](https://arxiv.org/abs/2302.00482) |
# | one step, after reflow | `Reflow` | [reflow_plane](../../recipes/reflow_plane.py) | straightness 0.00009438, before 2.164 | [Liu et al. 2023](https://arxiv.org/abs/2209.03003) |
