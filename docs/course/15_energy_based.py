# %% [markdown]
# # 15. Energy-based models and scores
#
# A density must be positive and have a total mass of 1. Flows and autoregressive models satisfy the
# second condition by construction, which restricts their networks. An energy-based model has no
# such restriction: any network $E$ with one output defines a density $e^{-E(x)} / Z$, whose
# constant $Z$ is never computed. This chapter shows how to train and sample without $Z$, and at
# what price.
#
# After this chapter, you can derive the gradient of the likelihood and Langevin dynamics, explain
# why chains fail and which remedies help, and sample with scores at many noise levels. Read it
# before [chapter 13](13_diffusion.md), which learns the same scores but has a better sampler. We
# work with 2-D points, where $Z$ is a sum over a grid and the correct answers are known.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, with fewer steps and points.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.special import logsumexp

from keras_gen import EBM, EDM
from keras_gen.core import NonFiniteLossError
from keras_gen.data import Source, checkerboard
from keras_gen.diffusion import AnnealedPath
from keras_gen.layers import SinusoidalFeatures
from keras_gen.networks import time_mlp
from keras_gen.workshop.visualize import new_figure, show

QUICK = bool(os.environ.get("QUICK"))
DRAWS = 1_000 if QUICK else 100_000  # chains for numerical checks
STEPS = 4 if QUICK else 2000  # for the exact gradient
CHAIN_STEPS = 4 if QUICK else 1000  # for each model with chains
SCORE_STEPS = 4 if QUICK else 2500  # for the score network
PER_CALL = 2 if QUICK else 50  # training steps per TensorFlow call
WIDTH = 8 if QUICK else 64  # units in each layer of the networks
CELLS = 8 if QUICK else 48  # points per axis for the exact gradient
SIDE = 20 if QUICK else 200  # points per axis of the grid that measures
POINTS = 50 if QUICK else 1000  # number of samples
LEVEL_STEPS = (10, 20) if QUICK else (100, 1000)  # sampling steps on all noise levels

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# The data are points on the black squares of a checkerboard: their density is 1/32 on a black
# square and 0 elsewhere. All energies below are defined on the box $[-5, 5]^2$ around the board.

# %%
LIMIT = 5.0
BOARD = checkerboard()
train = Source(BOARD.sample(50_000, seed=0), origin="a checkerboard, 50,000 points")
axis = LIMIT * (2 * (np.arange(SIDE) + 0.5) / SIDE - 1)
GRID = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2).astype("float32")
LOG_CELL = 2 * np.log(2 * LIMIT / SIDE)  # log area of a cell


def log_density(energy):
    """Returns the function log q of points, with log Z from the grid."""
    log_z = logsumexp(-energy(GRID).astype("float64")) + LOG_CELL
    return lambda points: -energy(points) - log_z


def divergence(energy):
    """Returns KL(p || q) from the board p to the density q of an energy, in nats."""
    log_p = BOARD.log_density(GRID)
    on_board = np.isfinite(log_p)
    return float(np.mean(log_p[on_board] - log_density(energy)(GRID)[on_board]))


def off_board(points):
    """Returns the fraction of points on white squares or outside the board."""
    return np.mean(np.isinf(BOARD.log_density(points)))


# %% [markdown]
# ## 1. The gradient of the likelihood
#
# Let $q(x) = e^{-E(x)} / Z$ with $Z = \int e^{-E(x)} dx$. A constant added to $E$ cancels, so only
# differences between energies are meaningful. The loss of maximum likelihood is $-\log q(x) =
# E(x) + \log Z$, and its second term has the gradient
#
# $$\nabla_\theta \log Z = \frac{1}{Z} \int \nabla_\theta e^{-E(x)} dx
# = -\int q(x) \nabla_\theta E(x) dx.$$
#
# Therefore, for the mean over the data,
#
# $$\nabla_\theta E_{x \sim p}[-\log q(x)]
# = E_{x \sim p}[\nabla_\theta E(x)] - E_{x \sim q}[\nabla_\theta E(x)].$$
#
# A step lowers the energy of data and raises the energy of the model's *own samples*. Training is
# stationary where data and samples have the same mean gradient. We check the formula for $\log Z$
# on a set of five points. The energies of these points are the parameters.

# %%
energies = random.normal(size=5)
probabilities = np.exp(-energies - logsumexp(-energies))
shift = 1e-5 * np.eye(5)
slopes = (logsumexp(-energies - shift, axis=1) - logsumexp(-energies + shift, axis=1)) / 2e-5
print("slope of log Z with respect to each energy", slopes.round(6))
print("minus the probability of each point       ", -probabilities.round(6))

# %% [markdown]
# In the plane, a grid replaces the samples: $\log Z$ is computed from a sum over cells, with a
# random point in each cell, and the likelihood is exact apart from the error of this sum. The class
# below overrides the training step of `EBM`, which would run chains.


# %%
def network():
    """Returns a network that maps points `[batch, 2]` to energies `[batch, 1]`."""
    points = keras.Input((2,))
    waves = SinusoidalFeatures(6, slowest=0.5, fastest=16.0)(points)
    x = layers.Dense(WIDTH)(layers.Concatenate()([points, waves]))
    for _ in range(3):
        x = layers.Add()([x, layers.Dense(WIDTH, "silu")(x)])
    return keras.Model(points, layers.Dense(1, use_bias=False)(x))


class ExactEBM(EBM):
    """An energy in the plane that is trained on the exact likelihood."""

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]
        axis = tf.range(CELLS, dtype=tf.float32)
        corners = tf.reshape(tf.stack(tf.meshgrid(axis, axis), axis=-1), [-1, 2])
        places = corners + self.uniform("places", [CELLS**2, 2])
        cells = LIMIT * (2 * places / CELLS - 1)

        def loss():
            log_z = tf.reduce_logsumexp(-self.energy(cells)) + 2 * np.log(2 * LIMIT / CELLS)
            terms = {"contrast": self.energy(x) + log_z, "magnitude": 0 * x[:, 0]}
            return self.weighted(terms), terms

        loss, terms = self.minimize(loss)
        return self.report(terms, loss=loss)


def trained(cls, updates, rate, **options):
    """Returns a model of the board, trained until it diverges or all steps are done."""
    keras.utils.set_random_seed(0)
    defaults = dict(data="vectors", limit=LIMIT, buffer_size=4096, data_noise=0.0, seed=0)
    model = cls(network(), **defaults | options)
    model.compile(Adam(CosineDecay(rate, updates)), steps_per_execution=PER_CALL)
    try:
        model.fit(train.stream(256, seed=0), steps_per_epoch=updates, verbose=0)
    except NonFiniteLossError as error:
        print("stopped:", str(error).partition(",")[0])
    return model


exact = trained(ExactEBM, STEPS, 2e-3)
print(f"exact gradient: KL divergence {divergence(exact.score):.3f} nats")

# %% [markdown]
# An unrestricted energy fits the board well: for comparison, MADE reaches 0.049 nats and flow
# matching 0.063 in the published runs listed at the end. But a grid is practical in at most three
# dimensions. In more dimensions, the second mean requires samples from the model.
#
# ## 2. Langevin dynamics
#
# How can we sample from $e^{-E} / Z$ with only the gradient of $E$? Move down the gradient, and add
# noise:
#
# $$x' = x - \eta \nabla E(x) + \sqrt{2 \eta}\, \epsilon, \qquad \epsilon \sim N(0, I).$$
#
# For small $\eta$, this preserves the density. Moving by $-\eta \nabla E$ changes the density by
# $\eta \nabla \cdot (q \nabla E)$, and adding the noise changes it by $\eta \nabla \cdot \nabla q$.
# The sum of both changes is $\eta \nabla \cdot (q \nabla E + \nabla q)$, which is 0 because $\nabla
# q = -q \nabla E$. For finite $\eta$, there is an error. With $E = x^2 / (2 s^2)$, the step is $x'
# = (1 - \eta / s^2) x + \sqrt{2 \eta}\, \epsilon$, and the variance $v$ of $x$ is stationary if $v
# = (1 - \eta / s^2)^2 v + 2 \eta$:
#
# $$v = \frac{s^2}{1 - \eta / (2 s^2)}.$$
#
# With noise of variance $2 \eta T$, the chain samples from $e^{-E / T}$: $T$ is the
# **temperature**.

# %%
sizes = np.array([0.01, 0.1, 0.3, 0.6, 1.0])
found = []
for size in sizes:
    x = random.normal(size=DRAWS)
    for _ in range(int(5 / size) + 1):
        x = (1 - size) * x + np.sqrt(2 * size) * random.normal(size=DRAWS)
    found.append(x.var())
print("step size        ", sizes)
print("variance, formula", (1 / (1 - sizes / 2)).round(3))
print("variance, chains ", np.round(found, 3))

# %%
drawn = new_figure(5.5, 3.4)
axes = drawn.subplots()
curve = np.linspace(0.001, 1.2, 100)
axes.plot(curve, 1 / (1 - curve / 2), label="formula")
axes.plot(sizes, found, "o", label=f"{DRAWS:,} chains")
axes.axhline(1, color="tab:gray", linestyle=":", label="density")
axes.set(xlabel="step size", ylabel="variance of the chains", ylim=(0.9, 2.6))
axes.legend()
show(drawn, "variance", "Langevin chains of a standard normal density are too wide.")

# %% [markdown]
# ## 3. Chains in training
#
# A chain that starts from noise needs many steps to reach $q$, and each training step needs new
# samples. Two shortcuts start chains closer to $q$:
#
# - **Contrastive divergence** (Hinton 2002) starts at the batch of data and takes a few steps. The
#   energy changes only where these chains pass. Far from the data, it remains arbitrary.
# - **Persistent chains** (Tieleman 2008; Du, Mordatch 2019) continue the chains of earlier steps,
#   which are stored in a **replay buffer**. A small fraction of the chains restarts from noise.
#
# `EBM` uses persistent chains, or contrastive divergence with `from_data=1`. Its loss, the mean
# energy of the data minus the mean energy of the chains, is near 0 at the start of training, when
# the network cannot distinguish data from chains, and at the end, when both have the same
# distribution. The loss does not show which is the case. On the board, we can compute the KL
# divergence instead. We first train at the correct temperature, 1, without any remedy.
#
# ![A chain starts in the replay buffer. Each of K steps moves down the gradient of the energy and adds noise. The loss is the energy of data minus the energy of the chains' ends, which return to the buffer along a dashed arrow.](diagrams/15_langevin.svg)
#
# *Persistent chains. The plate is repeated for each Langevin step. Dashed: the ends of the chains
# replace their starts in the buffer.*

# %%
LOCAL = dict(steps=20, step_size=0.02, temperature=1.0, clip=1e6, magnitude=0.0)
plain = trained(EBM, CHAIN_STEPS, 2e-3, **LOCAL)
print(f"plain chains: KL divergence {divergence(plain.score):.3g} nats")

# %% [markdown]
# If a line says "stopped", energies exceeded 10,000, and `fit` ended. Even if `fit` does not stop,
# the density learned with plain chains is far from correct. The reason is the gaps between the
# black squares. Energy barriers between the squares grow, chains stay in their squares, and the
# number of chains in a square no longer depends on the energy. So nothing prevents the energy of a
# square from drifting. There are three remedies:
#
# - **magnitude**: a penalty of $\alpha (E(x)^2 + E(y)^2)$ keeps barriers low (Du, Mordatch) but
#   makes the density smoother;
# - **cold chains**: in the papers, the step sizes and noise for images correspond to temperatures
#   of $10^{-6}$ to $10^{-4}$; here, $T = 0.01$;
# - **jumps**: propose a point $y$, and accept it with probability $\min(1, e^{E(x) - E(y)})$
#   (Metropolis et al. 1953). This preserves the density exactly. Half of the proposals are close to
#   $x$, and the others are uniform in the box. In two dimensions, the uniform proposals cross all
#   barriers.
#
# The rule for jumps assumes *symmetric* proposals. In general, let $g(y \mid x)$ be the density of
# proposing $y$ at $x$. A chain preserves $q$ if moves from $x$ to $y$ are as frequent as moves
# back, $q(x)\, g(y \mid x)\, a(x, y) = q(y)\, g(x \mid y)\, a(y, x)$. The largest such probability
# of acceptance is that of Hastings (1970), which makes one of the two probabilities equal to 1:
#
# $$a(x, y) = \min \Big( 1,\; e^{E(x) - E(y)}\, \frac{g(x \mid y)}{g(y \mid x)} \Big).$$
#
# For our proposals, $g(x \mid y) = g(y \mid x)$, so the ratio is 1. A Langevin step is not
# symmetric, because the gradients at $x$ and $y$ differ: with this correction, it becomes an exact
# method, too (MALA).


# %%
class JumpingEBM(EBM):
    """An EBM whose chains are Metropolis steps, every second one to any point of the box."""

    def chain(self, x, steps, draw):
        numbers = self.uniform("jumps", [tf.shape(x)[0], self.steps, 3])

        def step(k, x, energies):
            place, chance = tf.split(tf.gather(numbers, k, axis=1), [2, 1], axis=1)
            near, far = x + self.step_size * draw(k), LIMIT * (2 * place - 1)
            proposed = tf.where(k % 2 == 0, near, far)
            with self.inference():
                others = self.energy(proposed)
            accepted = tf.math.log(chance[:, 0]) < energies - others
            accepted &= tf.reduce_all(tf.abs(proposed) <= LIMIT, axis=1)
            x = tf.ensure_shape(tf.where(accepted[:, None], proposed, x), x.shape)
            return k + 1, x, tf.where(accepted, others, energies)

        with self.inference():
            start = (tf.constant(0), x, self.energy(x))
        return tf.while_loop(lambda k, *_: k < steps, step, start)[1]


models = {
    "exact gradient": exact,
    "jumps": trained(JumpingEBM, 2 * CHAIN_STEPS, 2e-3, **LOCAL | dict(step_size=0.2)),
    "magnitude 0.1": trained(
        EBM, CHAIN_STEPS, 1e-3, **LOCAL | dict(step_size=0.005, clip=50.0, magnitude=0.1)
    ),
    "cold chains": trained(
        EBM, CHAIN_STEPS, 1e-3, **LOCAL | dict(step_size=0.005, temperature=0.01, clip=50.0)
    ),
}
print("                 KL, nats   off the board: density   buffer")
off_grid = np.isinf(BOARD.log_density(GRID))
for name, model in models.items():
    log_q = log_density(model.score)(GRID).astype("float64")
    off = np.exp(log_q[off_grid] + LOG_CELL).sum()
    buffer = "" if name == "exact gradient" else f"{off_board(model.buffer.numpy()):8.1%}"
    print(f"{name:15} {divergence(model.score):8.3f} {off:21.1%} {buffer:>12}")

# %%
drawn = new_figure(10, 2.8)
for axes, (name, model) in zip(drawn.subplots(1, 4), models.items(), strict=True):
    density = np.exp(log_density(model.score)(GRID)).reshape(SIDE, SIDE)
    axes.imshow(density, origin="lower", extent=(-5, 5, -5, 5), vmin=0, vmax=1 / 32)
    axes.set(xticks=[], yticks=[], title=name)
show(drawn, "densities", "The densities of four energies, with Z from the grid.")

# %%
drawn = new_figure(10, 2.8)
points = {"board": BOARD.sample(POINTS, seed=1)}
points |= {name: models[name].buffer.numpy()[:POINTS] for name in list(models)[1:]}
for axes, (name, shown) in zip(drawn.subplots(1, 4), points.items(), strict=True):
    axes.scatter(*shown.T, s=2, linewidths=0)
    axes.set(xlim=(-5, 5), ylim=(-5, 5), aspect="equal", xticks=[], yticks=[], title=name)
show(drawn, "buffers", "Points of the board, and of the replay buffers of three models.")

# %% [markdown]
# Compare the two columns for the cold chains: their buffer resembles the board more closely than
# their *density* does. At a low temperature, chains of a few steps never reach the equilibrium
# $e^{-E / T}$, so the energy is not trained to represent a density, at this temperature or at any
# other:

# %%
cold = models["cold chains"].score
print("factor b   KL divergence of exp(-b E), nats")
for factor in (0.5, 1, 2, 3, 5):
    print(f"{factor:8} {divergence(lambda points, b=factor: b * cold(points)):14.3f}")

# %% [markdown]
# No rescaling of this energy gives the density of the board. So good samples do not imply a good
# energy, and each needs its own test. This is why `EBM` has `sample` and `score`, but no
# `log_prob`.
#
# ## 4. Scores at many noise levels
#
# The gradient $\nabla \log q = -\nabla E$ is called the score, and does not contain $Z$. Why not
# learn it directly? The score of noisy data follows from denoising ([chapter 2](02_denoising.md)):
# for $y = x + \sigma \epsilon$, the best prediction of $-\epsilon / \sigma$ from $y$ is the score
# of the density of $y$. That is **denoising score matching** (Vincent 2011). Its smallest loss is
# not 0. For normal data with variance $v$, the score is $-y / (v + \sigma^2)$, and the loss, the
# mean of $(\sigma s(y) + \epsilon)^2$, is $v / (v + \sigma^2)$.

# %%
v, sigma = 1.7, 1.0
x, noise = np.sqrt(v) * random.normal(size=10 * DRAWS), random.normal(size=10 * DRAWS)
y = x + sigma * noise
slope = -np.mean(noise * y) / np.mean(y**2) / sigma
print(f"best linear score: {slope:.3f} y, expected {-1 / (v + sigma**2):.3f} y")
loss = np.mean((sigma * slope * y + noise) ** 2)
print(f"smallest loss:     {loss:.3f}, expected {v / (v + sigma**2):.3f}")

# %% [markdown]
# A score at one noise level has two weaknesses. It is learned only where there are data. And it
# barely depends on the *weights* of separate modes: in $0.2\, N(-5, 1) + 0.8\, N(5, 1)$, the score
# near each mode is nearly equal to the score of this mode alone. The weights only move the narrow
# region between the modes where the score changes its sign. Chains stay on the side on which they
# start, so the fractions of chains in the modes do not change. Noise helps: with a standard
# deviation of 10, the two modes merge, and chains move between them. Song and Ermon (2019) learn
# the score at levels $\sigma_1 > \dots > \sigma_L$, and run chains from the first level to the
# last. This is **annealed Langevin dynamics**. We use the exact scores, so nothing is trained.


# %%
def score_of_two(x, sigma):
    """Returns the score of 0.2 N(-5, 1) + 0.8 N(5, 1) after adding noise."""
    variance = 1 + sigma**2
    odds = np.log(4) + 10 * x / variance
    right = 0.5 * (1 + np.tanh(odds / 2))
    return (10 * right - 5 - x) / variance


def sampled(levels, each):
    """Returns the ends of chains with the given number of steps per level."""
    x = random.uniform(-8, 8, DRAWS // 10)
    for sigma in levels:
        size = 0.1 * (1 + sigma**2)
        for _ in range(each):
            noise = np.sqrt(2 * size) * random.normal(size=len(x))
            x = x + size * score_of_two(x, sigma) + noise
    return x


ends = {"plain, 1000 steps": sampled([0.0], LEVEL_STEPS[1])}
for count, each in ((3, 100), (10, 10), (10, 100)):
    ends[f"{count} levels of {each} steps"] = sampled(np.geomspace(10, 0.1, count), each)
print("fraction of chains in the right mode (true: 0.8)")
for name, x in ends.items():
    print(f"{name:22} {np.mean(x > 0):.3f}")

# %%
drawn = new_figure(10, 3.2)
line = np.linspace(-15, 15, 300)
left, right = drawn.subplots(1, 2)
for sigma in (0.0, 3.0, 10.0):
    left.plot(line, score_of_two(line, sigma), label=f"noise {sigma:g}")
left.set(xlabel="x", ylabel="score", title="scores of two modes")
left.legend()
bins = np.linspace(-9, 9, 60)
for name in ("plain, 1000 steps", "10 levels of 100 steps"):
    right.hist(ends[name], bins, density=True, histtype="step", label=name)
known = 0.2 * np.exp(-((bins + 5) ** 2) / 2) + 0.8 * np.exp(-((bins - 5) ** 2) / 2)
right.plot(bins, known / np.sqrt(2 * np.pi), ":", color="black", label="density")
right.set(xlabel="x", title="ends of chains")
right.legend()
show(drawn, "two_modes", "Scores at three noise levels, and where chains end.")

# %% [markdown]
# **A network for all levels** needs the noise level as a second input. The library already has such
# a network: `EDM` ([chapter 13](13_diffusion.md)) predicts the clean example $D(y, \sigma)$ at
# every noise level, and the score is $(D - y) / \sigma^2$. So annealed Langevin dynamics is just
# another sampler for this network: a path with geometric levels, and the solver `langevin`. We
# compare it with Heun's method, which follows a differential equation, on the same network.

# %%
keras.utils.set_random_seed(0)
options = dict(deviation=2.3, log_mean=-0.5, log_deviation=1.5, data="vectors")
path = AnnealedPath(0.02, 20.0, levels=10 if QUICK else 20)
scores = EDM(time_mlp((2,), WIDTH, 3), path, **options)
scores.compile(Adam(CosineDecay(2e-3, SCORE_STEPS)), steps_per_execution=PER_CALL)
scores.fit(train.stream(256, seed=0), steps_per_epoch=SCORE_STEPS, verbose=0)

# %%
made = {"Heun, 20 steps": scores.sample(POINTS, 1, POINTS, steps=20, solver="heun")}
for count in LEVEL_STEPS:
    name = f"Langevin, {count} steps"
    made[name] = scores.sample(POINTS, 1, POINTS, steps=count, solver="langevin")
drawn = new_figure(9.5, 3.3)
for axes, (name, points) in zip(drawn.subplots(1, 3), made.items(), strict=True):
    axes.scatter(*points.T, s=2, linewidths=0)
    axes.set(xlim=(-5, 5), ylim=(-5, 5), aspect="equal", xticks=[], yticks=[], title=name)
    print(f"{name:22} {off_board(points):.1%} off the board")
show(drawn, "samplers", "Samples of one score network, by two samplers.")

# %% [markdown]
# With 100 steps, the chains are still far from the board. With 1000 steps, they are about as good
# as Heun's method with 20 steps, which evaluates the network 39 times. Each Langevin step adds
# noise that later steps must average out, so current diffusion models usually solve the
# differential equation instead.
#
# ## 5. Digits
#
# For images, chains are cold, and the buffer contains chains that were continued throughout
# training. The published run of [ebm_mnist](../../recipes/ebm_mnist.py) trains on digits of 14 × 14
# pixels. In the picture, each block of four rows shows, from top to bottom, chains from the buffer,
# continued for some steps; new chains from noise; samples from a Gaussian mixture; and test digits.
#
# ![Rows of small digits from chains in the buffer, new chains, and a mixture.](../../recipes/results/ebm_mnist_chains.png)
#
# Measured by the kernel distance, chains from the buffer are closer to test digits than the mixture
# is. New chains, with the *same* energy, are several times as far away: after 256 steps, shapes
# still occur with other frequencies than in the data. So `sample` continues chains from the buffer
# by default, and any published result should state where its chains start.
#
# Does the energy detect outliers? A model of digits detects clothes with an AUROC of 0.997, which
# exceeds the AUROCs of a Gaussian mixture, principal components, and the distance to the nearest
# neighbor. A model of clothes fails at detecting digits: its AUROC of 0.54 is near chance, whereas
# the same baselines exceed 0.98. As in models with likelihoods, the model of clothes does not
# assign digits lower likelihoods than clothes.
#
# ## 6. Common claims, and what is true
#
# - **"The loss went to 0, so the training converged."** It is also near 0 at the start. It is a
#   difference between two means, not a distance between distributions.
# - **"A low temperature only sharpens the density."** This is true of chains in equilibrium. In
#   section 3, no scaling factor turns the energy of the cold chains into the density of the board.
# - **"Langevin dynamics samples from the density."** The variance of its samples is too large by a
#   factor of about $1 + \eta / (2 s^2)$, and chains almost never move between separate modes.
# - **"Score matching learns the density."** It learns gradients where there are data, and gradients
#   near separate modes do not determine the weights of these modes.
#
# ## Questions
#
# **1.** Contrastive divergence with one step trains $E = x^2 / (2 v)$ on data from $N(0, 1)$. To
# which $v$ does it converge for a finite step size $\eta$?
#
# <details markdown="1"><summary>Answer</summary>
#
# Training is stationary where $x^2$ has the same mean over the data and over the ends of the
# chains: $1 = (1 - \eta / v)^2 + 2 \eta$. The chain's stationary variance $v / (1 - \eta / (2 v))$
# is then exactly 1. So the samples are correct, but the *energy* contains the error of the chain:
# $v \approx 1 - \eta / 2$.
#
# </details>
#
# **2.** Two energies differ by a constant in the left half of the plane, which contains half of the
# data, and the data in the two halves are far apart. Which of the methods in this chapter detect
# this?
#
# <details markdown="1"><summary>Answer</summary>
#
# The exact gradient and chains with jumps detect it, because they compare the masses of the two
# halves. Local chains do not cross between the halves, so the fraction of chains in each half does
# not depend on the constant. The scores of both energies are equal except at the border, where
# there are no data, so score matching at a low noise level does not detect the difference either.
# At a noise level at which the halves overlap, it does.
#
# </details>
#
# **3.** Change the code: in `JumpingEBM`, accept every jump. What happens to the chains?
#
# <details markdown="1"><summary>Answer</summary>
#
# Every chain becomes uniform noise after each step, so the second mean is computed over the whole
# box instead of over samples from the model. Training lowers the energies of data and raises the
# energies of noise without limit, because nothing raises the energy where it is already too low.
# The absolute values of the energies grow until `fit` stops.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | energies of digits | `EBM` | [ebm_mnist](../../recipes/ebm_mnist.py) | kernel distance 0.01416; Gaussian mixture 0.01550 (about equal) | [Du, Mordatch 2019](https://arxiv.org/abs/1903.08689) |
# | scores at all noise levels | `EDM` | [edm_fashion_mnist](../../recipes/edm_fashion_mnist.py) | kernel distance 0.03239; Gaussian mixture 0.1358 | [Karras et al. 2022](https://arxiv.org/abs/2206.00364) |
# | exact densities of the board | `MADE` | [densities_plane](../../recipes/densities_plane.py) | KL from the checkerboard 0.0493 nats; histogram 0.001319, Gaussian mixture 0.1346 | [Germain et al. 2015](https://arxiv.org/abs/1502.03509) |
# | flow matching on the board | `FlowMatching` | [flow_matching_plane](../../recipes/flow_matching_plane.py) | optimal pairing 0.0634 nats; histogram 0.0022, Gaussian mixture 0.1323 | [Tong et al. 2024](https://arxiv.org/abs/2302.00482) |
# | outliers by likelihood | `VAE` | [outliers_fashion_mnist](../../recipes/outliers_fashion_mnist.py) | AUROC 0.9871; nearest in gradient histograms 0.9893 | [Nalisnick et al. 2019](https://arxiv.org/abs/1810.09136) |
