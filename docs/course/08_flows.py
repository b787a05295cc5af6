# %% [markdown]
# # 8. Normalizing flows
#
# A flow is an invertible map that transforms an example into numbers that look like normal noise.
# Given data, the flow returns their exact likelihood, not just a bound. Given noise, its inverse
# returns an example. The price is that every layer must have an inexpensive inverse and
# determinant.
#
# After this chapter, you can derive the change of variables, build a coupling and its
# log-determinant, write the training step of a flow, compute bits per dimension, and explain what
# flows cannot do. We start with 2-D points, because their true density is known, and end with
# images.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, with fewer steps and points.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from sklearn.datasets import load_digits

from keras_gen import Flow
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.data import PlanarNormals, Source, two_moons
from keras_gen.layers.flows import Chain, InvertibleConvolution, InvertibleLayer
from keras_gen.metrics import bits_per_dimension
from keras_gen.networks import mlp_encoder
from keras_gen.workshop.visualize import captioned, new_figure, planar_densities, show

QUICK = bool(os.environ.get("QUICK"))
COUPLINGS = 1 if QUICK else 8  # for each flow on points
UNITS = 4 if QUICK else 64  # of both hidden layers of their networks
STEPS = 4 if QUICK else 2000  # for the first training run
CLASS_STEPS = 4 if QUICK else 800  # for each of the others
PER_CALL = 1 if QUICK else 50  # training steps per TensorFlow call
POINTS = 100 if QUICK else 20_000  # number of test points
SIDE = 20 if QUICK else 140  # points per axis of a grid
IMAGE_STEPS = 4 if QUICK else 400  # for the flow on images
IMAGE_COUPLINGS = 1 if QUICK else 4  # for each scale

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. The change of variables
#
# **One dimension.** Let $x$ be a random number with density $p_X$, and let $z = f(x)$ for a smooth,
# strictly increasing function. We know the density $p_Z$ of $z$. What is $p_X$? The event $X \le x$
# is the event $Z \le f(x)$, so both have the same probability:
#
# $$P(X \le x) = P(Z \le f(x)).$$
#
# Differentiate with respect to $x$. The left side becomes the density. On the right side, the chain
# rule adds a factor:
#
# $$p_X(x) = p_Z(f(x)) f'(x).$$
#
# For a decreasing $f$, the event becomes $Z \ge f(x)$, and the factor is $-f'(x)$. So in both
# cases, the factor is $|f'(x)|$. It measures how much $f$ stretches: $f$ moves the mass of a short
# interval of length $dx$ to an interval of length $|f'(x)| dx$. Where $f$ stretches strongly, a
# short interval of $x$ corresponds to a long interval of $z$, so the density of $x$ is high.
#
# **More dimensions.** Let $f$ map $D$ numbers to $D$ numbers, with an inverse. Near a point $x$,
# $f$ is nearly linear: $f(x + h) \approx f(x) + J h$, where $J$ is the **Jacobian**, the matrix of
# all $\partial f_i / \partial x_j$. A linear map transforms a small cube of volume $v$ into a
# parallelepiped of volume $|\det J| v$. The mass is preserved, so
#
# $$p_X(x) = p_Z(f(x)) |\det J(x)|.$$
#
# With a standard normal $z$, we maximize the logarithm (equations 2 and 3 of Dinh et al. 2017):
#
# $$\log p_X(x) = \log N(f(x); 0, I) + \log |\det J(x)|.$$
#
# The first term pulls all latents toward 0, where the normal density is high. Without the second
# term, the best map would shrink everything to one point. The second term rewards stretching.
#
# We check one dimension with samples. Let $z = f(x) = \log(x / (1 - x))$, the **logit**, and let
# $z$ be normal with mean 1. Its inverse is the sigmoid, and $f'(x) = 1 / (x (1 - x))$.


# %%
def log_normal(z):
    """Returns the standard normal log-density, summed over the last axis."""
    return -0.5 * np.sum(np.square(z) + np.log(2 * np.pi), axis=-1)


x = np.linspace(0.001, 0.999, 999)
density = np.exp(log_normal((np.log(x / (1 - x)) - 1)[:, None])) / (x * (1 - x))
draws = 1 / (1 + np.exp(-(1 + random.normal(size=200_000))))
print(f"mass of the formula on (0, 1)                     {density.sum() * 0.001:.4f}")
print(f"probability of x below 0.5, by the formula        {density[:500].sum() * 0.001:.4f}")
print(f"fraction of 200,000 draws below 0.5               {np.mean(draws < 0.5):.4f}")

drawn = new_figure(10, 4)
left, right = drawn.subplots(1, 2)
left.plot(x, np.log(x / (1 - x)), color="black")
for low in (0.48, 0.93):
    ends = np.array([low, low + 0.04])
    bottom, top = np.log(ends / (1 - ends))
    left.fill_between([0, ends[0], ends[1]], bottom, top, alpha=0.4)
    left.fill_betweenx([-6, top], *ends, alpha=0.4, color="tab:gray")
left.set(xlim=(0, 1), ylim=(-5, 6), xlabel="x", ylabel="z = logit(x)")
right.hist(draws, 80, density=True, alpha=0.4, label="200,000 draws")
right.plot(x, density, color="black", label="the formula")
right.set(xlabel="x", ylabel="density")
right.legend(loc="upper left")
show(
    drawn,
    "one_dimension",
    "Left: two intervals of x of equal length, and their images. Right: the density of x.",
)

# %% [markdown]
# The interval near 1 is stretched much more than the interval in the middle: by a factor of $1 /
# (0.95 \cdot 0.05) = 21$, compared with 4.
#
# **Layers.** A flow is a chain of maps, $f = f_n \circ \ldots \circ f_1$. Its Jacobian is a product
# of matrices. The determinant of a product is the product of the determinants, so log-determinants
# add up. One good layer is therefore all that we need to construct.
#
# ## 2. Why the inverse and the determinant must be inexpensive
#
# We need three things from each layer: $f$ and its log-determinant for the likelihood of each
# training example in each step, and the inverse for sampling. Consider an ordinary dense layer with
# the matrix $W$. For an image with 32 × 32 pixels and three colors, $D = 3072$, the determinant of
# $W$ requires about $2 D^3 / 3$ operations. A general network is even worse: it has no closed-form
# inverse, and its Jacobian differs for each example and requires $D$ passes of automatic
# differentiation. A triangular Jacobian solves the problem of the determinant, which is then the
# product of the $D$ diagonal entries.

# %%
D = 3072
print(f"determinant of any matrix of {D} rows     {2 * D**3 / 3:.0e} operations")
print(f"determinant of a triangular one            {D:.0e} operations")

# %% [markdown]
# ## 3. Affine couplings
#
# Real NVP (Dinh et al. 2017) splits the numbers into two halves, $x_1$ and $x_2$. The first half
# **stays** unchanged. A network applied to the first half determines how the second half is scaled
# and shifted:
#
# $$y_1 = x_1, \qquad y_2 = x_2 \cdot e^{s(x_1)} + t(x_1).$$
#
# **The inverse.** Since $y_1$ equals $x_1$, we can recompute $s$ and $t$ from it:
#
# $$x_1 = y_1, \qquad x_2 = (y_2 - t(y_1)) \cdot e^{-s(y_1)}.$$
#
# The networks $s$ and $t$ are never inverted, so they can be arbitrary networks.
#
# **The log-determinant.** Write the Jacobian in four blocks. $y_1$ depends only on $x_1$, as the
# identity. Each number in $y_2$ depends on *its own* number in $x_2$, with the factor $e^s$:
#
# $$J = \begin{pmatrix} I & 0 \\ \partial y_2 / \partial x_1 & \mathrm{diag}(e^{s(x_1)})
# \end{pmatrix}.$$
#
# The Jacobian is triangular. Its diagonal consists of ones, followed by the numbers $e^{s_i}$. The
# lower left block may be arbitrarily complicated, because it does not affect the determinant. So
#
# $$\log |\det J| = \sum_i s_i(x_1).$$
#
# ![An affine coupling: the first half stays, and a network on it returns the scale and the shift for the second half.](diagrams/08_coupling.svg)
#
# *An affine coupling. The inverse uses the same network, because the first half stays.*
#
# Here is the layer. `InvertibleLayer` expects three results from `call`: the output, the
# log-determinant of each example, and statistics, which this layer does not have. We keep $s$
# between -2 and 2, so that scales stay bounded early in training.


# %%
class PlainCoupling(InvertibleLayer):
    """Keeps one half of the numbers; a network on it scales and shifts the other half."""

    def __init__(self, network, flip, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.flip = flip

    def halves(self, x):
        first, second = tf.split(x, 2, axis=-1)
        return (second, first) if self.flip else (first, second)

    def joined(self, stays, moves):
        return tf.concat([moves, stays] if self.flip else [stays, moves], axis=-1)

    def scale_and_shift(self, stays):
        s, t = self.network(stays)
        return 2 * tf.tanh(s), t

    def call(self, x, condition=None, training=False):
        stays, moves = self.halves(x)
        s, t = self.scale_and_shift(stays)
        return self.joined(stays, moves * tf.exp(s) + t), tf.reduce_sum(s, axis=-1), ()

    def inverse(self, y, condition=None):
        stays, moved = self.halves(y)
        s, t = self.scale_and_shift(stays)
        return self.joined(stays, (moved - t) * tf.exp(-s))


def coupling(half, units, flip, gain=1.0):
    """Returns a coupling of twice `half` numbers; initially, s and t have size `gain`."""
    hidden = (units, units)
    network = mlp_encoder((half,), half, hidden, "swish", heads=("s", "t"), output_gain=gain)
    return PlainCoupling(network, flip)


# %% [markdown]
# If every layer transformed the same half, the other half would never change. So `flip` exchanges
# the roles in every other layer. We check two layers, and a chain of three: automatic
# differentiation gives the whole Jacobian, whose determinant must agree with our formula.

# %%
couplings = [coupling(4, 16, flip=number == 1) for number in range(3)]
layers = dict(zip(("first coupling", "second coupling"), couplings, strict=False))
layers["three couplings"] = Chain(couplings)
x = tf.constant(random.normal(size=(1, 8)), tf.float32)
drawn = new_figure(10, 3.6)
print("layer              sum of s   log |det J|   error of the inverse")
for axes, (name, layer) in zip(drawn.subplots(1, 3), layers.items(), strict=True):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, log_det, _ = layer(x)
    jacobian = tape.batch_jacobian(y, x)[0].numpy()
    expected = np.linalg.slogdet(jacobian)[1]
    error = np.abs(layer.inverse(y) - x).max()
    print(f"{name:16} {log_det[0]:10.5f} {expected:13.5f} {error:16.0e}")
    most = np.abs(jacobian).max()
    axes.imshow(jacobian, cmap="RdBu", vmin=-most, vmax=most)
    axes.set(title=name, xlabel="x", xticks=[], yticks=[])
    axes.set_ylabel("y")
show(
    drawn,
    "jacobians",
    "Jacobians of 8 numbers: zeros are white. A coupling is triangular, and a chain of three is full.",
)

# %% [markdown]
# Each layer is simple, but the chain is not: no entry of its Jacobian has to be 0, but the
# determinant still costs almost nothing.
#
# ## 4. Masks, permutations and 1x1 convolutions
#
# Which numbers stay? For 2-D points, there are only two halves. For images, Real NVP alternates
# between a **checkerboard mask**, in which every other pixel stays, and a **channel mask**, in
# which the first half of the channels stays. The numbers can also be reordered between layers. A
# permutation has a determinant of 1 or -1, so its log-determinant is 0.
#
# Glow (Kingma and Dhariwal 2018) *learns* how the channels are mixed. At every pixel, the $c$
# channels are multiplied by the same matrix $W$, which is called an **invertible 1x1 convolution**.
# A permutation is a special case. The Jacobian for all $h \cdot w$ pixels has $W$ in blocks along
# its diagonal, so
#
# $$\log |\det J| = h w \log |\det W|.$$
#
# Only a small matrix, with $c$ rows, has to be decomposed. Glow also keeps $W$ as a product of
# triangular matrices and a permutation; then even this determinant is a sum of $c$ numbers. We
# check the formula on an image with 2 × 3 pixels and 4 channels.

# %%
mix = InvertibleConvolution()
image = tf.constant(random.normal(size=(1, 2, 3, 4)), tf.float32)
mix(image)
mix.kernel.assign(random.normal(size=(4, 4)))
with tf.GradientTape() as tape:
    tape.watch(image)
    y, log_det, _ = mix(image)
jacobian = tf.reshape(tape.batch_jacobian(y, image), [24, 24]).numpy()
print(f"formula                     {log_det[0]:.4f}")
print(f"Jacobian of 24 rows         {np.linalg.slogdet(jacobian)[1]:.4f}")

# %% [markdown]
# ## 5. The training step
#
# For maximum likelihood, the loss is the mean of $-\log p_X(x)$. The step needs neither a separate
# decoder nor noise. `GenerativeModel` provides an optimizer, the data check (`prepare_batch`), and
# the update (`minimize`).


# %%
class PlainFlow(GenerativeModel):
    """A flow on 2-D points, with normal latents."""

    def __init__(self, flow, **kwargs):
        super().__init__(**kwargs)
        self.flow = flow
        self.edges["x"] = Vectors((2,))

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def negative_log_likelihood():
            z, log_det, _ = self.flow(x, training=True)
            log_normal = -0.5 * tf.reduce_sum(tf.square(z) + np.log(2 * np.pi), axis=-1)
            return -(log_normal + log_det)

        return self.report(loss=self.minimize(negative_log_likelihood))


def trained(model, points, steps):
    """Trains with a learning rate from 0.005 to 0; prints the loss of each quarter."""
    model.compile(Adam(CosineDecay(5e-3, steps)), steps_per_execution=PER_CALL)
    stream = Source(points, origin="points of the plane").stream(256, 0)
    losses = model.fit(stream, steps_per_epoch=steps // 4, epochs=4, verbose=0).history["loss"]
    print("loss of each quarter:", ", ".join(f"{loss:.3f}" for loss in losses), "nats")
    return losses


# %% [markdown]
# The data are two moons, whose density is known.

# %%
MOONS = two_moons()
moons_test = MOONS.sample(POINTS, seed=1)
# A small gain: the flow begins near the identity.
flow = Chain([coupling(1, UNITS, flip=number % 2 == 1, gain=0.1) for number in range(COUPLINGS)])
flow.build((None, 2))
plain = PlainFlow(flow)
trained(plain, MOONS.sample(50_000, seed=0), STEPS)
entropy = -MOONS.log_density(moons_test).mean()
print(f"lowest possible loss, the entropy of the moons: {entropy:.3f} nats")

# %% [markdown]
# The class `Flow` has the same step, and adds sampling, densities, checks, and saving. It accepts
# the chain unchanged, so the new model is already trained. When a `Flow` is created, it checks that
# the layers' inverses are correct and that their log-determinants match numerical differences of
# the outputs.
#
# How far is the model from the truth? The mean of $\log p - \log q$ over test points is the
# Kullback-Leibler divergence from the moons $p$ to the model $q$. Whatever the model has learned,
# $q$ must have total mass 1. To check this, we sum $q$ over a grid.


# %%
def square_grid(span, side):
    """Returns points `[side * side, 2]` of a square around 0, and the area per point."""
    axis = np.linspace(-span, span, side)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2).astype("float32")
    return points, (axis[1] - axis[0]) ** 2


def divergence(known, model, points):
    """Returns the KL from a known density to a model, in nats, and its standard error."""
    nats = known.log_density(points) - model.log_prob(points, batch_size=5_000)
    return f"{nats.mean():.4f} ± {nats.std() / len(nats) ** 0.5:.4f} nats"


model = Flow(flow)
model.compile("adam")
same = [
    each.evaluate(moons_test, batch_size=500, return_dict=True, verbose=0)["loss"]
    for each in (plain, model)
]
print(f"loss on test points: PlainFlow {same[0]:.4f}, Flow {same[1]:.4f} nats")
print("KL from the moons to the flow   ", divergence(MOONS, model, moons_test))
grid, area = square_grid(5, 2 * SIDE)
mass = np.exp(model.log_prob(grid, batch_size=5_000)).sum() * area
print(f"mass of the flow on the grid     {mass:.4f}")

# %%
densities = {"known density": MOONS.log_density, "density of the flow": model.log_prob}
show(
    planar_densities({"test points": (moons_test, densities)}, side=SIDE),
    "densities",
    "Test points of the moons, their density, and the exact density of the flow.",
)

# %% [markdown]
# ## 6. What the layers do
#
# Pass the points through the couplings, together with a grid of lines. Each coupling moves all
# points along only one axis, and stretches and shifts each line parallel to this axis. Eight such
# moves separate the moons and place them next to each other.

# %%
points = moons_test[:3000]
nearest = np.argmin(np.sum((points[:, None] - MOONS.centers) ** 2, axis=-1), axis=1)
colors = np.where(nearest < len(MOONS.centers) // 2, "tab:blue", "tab:orange")  # by moon
ticks = np.linspace(-4, 4, 13)
along = np.linspace(-4, 4, 200)
lines = np.stack(np.meshgrid(ticks, along), axis=-1)  # [200, 13, 2]
lines = np.concatenate([lines, lines[..., ::-1]], axis=1).astype("float32")
bent = lines.reshape(-1, 2)
stages = [("data", points, bent)]
for number, layer in enumerate(flow.steps, start=1):
    points, _, _ = layer(points)
    bent, _, _ = layer(bent)
    stages.append((f"after {number} coupling{'s' if number > 1 else ''}", points, bent))
drawn = new_figure(9.6, 6.6)
panels = drawn.subplots(2, 3).flat
shown = stages if QUICK else [stages[number] for number in (0, 1, 2, 4, 6, 8)]
for axes, (name, points, bent) in zip(panels, shown, strict=False):
    axes.plot(
        *np.reshape(bent, (200, 26, 2)).transpose(2, 0, 1), color="tab:gray", linewidth=0.5
    )
    axes.scatter(*np.transpose(points[:1500]), s=1.5, linewidths=0, c=colors[:1500], zorder=2)
    axes.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xticks=[], yticks=[], title=name)
show(drawn, "bent", "Points of the moons and a grid on their way through the couplings.")

# %% [markdown]
# The grid is bent and stretched, but never cut: the map is invertible and smooth. We return to this
# point in section 8. At the end, the points should be normally distributed. For two standard normal
# numbers, the squared radius exceeds $r^2$ with probability $e^{-r^2 / 2}$, so we know how many
# latents should be in a disk.

# %%
latents = model.encode(moons_test)
print("means of the latents  ", latents.mean(axis=0).round(3))
print("covariance, as a matrix", np.cov(latents.T).round(3).tolist())
for radius in (0.5, 1, 2, 3):
    within = np.mean(np.sum(latents**2, axis=1) < radius**2)
    print(f"within radius {radius:3}: {within:.3f}, normal {1 - np.exp(-(radius**2) / 2):.3f}")

made = model.sample(3000, seed=1)
drawn = new_figure(10.5, 3)
panels = {
    "data": (moons_test[:3000], colors),
    "latents of the data": (latents[:3000], colors),
    "normal draws": (random.normal(size=(3000, 2)), "black"),
    "samples": (made, "black"),
}
for axes, (name, (points, color)) in zip(drawn.subplots(1, 4), panels.items(), strict=True):
    axes.scatter(*points.T, s=1.5, linewidths=0, c=color)
    axes.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xticks=[], yticks=[], title=name)
show(
    drawn,
    "latents",
    "From data to latents, and from normal noise to samples: the same map in both directions.",
)

# %% [markdown]
# **The class can also build the chain.** `Flow.for_vectors` constructs the couplings, standardizes
# data in any units, and puts Glow's **activation normalization** before each coupling: a scale and
# a shift of each number, initialized so that the first batch has mean 0 and variance 1. The
# log-determinant of this layer is the sum of the logarithms of the scales. We train the new flow
# for fewer steps.

# %%
of_class = Flow.for_vectors(2, steps=COUPLINGS, hidden=(UNITS, UNITS))
trained(of_class, MOONS.sample(50_000, seed=0), CLASS_STEPS)
print("KL from the moons to Flow.for_vectors(2):", divergence(MOONS, of_class, moons_test))

# %% [markdown]
# After fewer steps, the new flow's divergence from the moons is smaller than the plain flow's with
# some seeds and larger with others, so runs this short do not rank the two flows.
#
# ## 7. Dequantization, and bits per dimension
#
# Pixels are integers, the **levels** 0 to 255. A density may put a narrow peak on each level, and a
# peak of width $w$ and mass 1 has the height $1 / w$. So the likelihood of levels can be made
# arbitrarily large, and the "best" flow would have learned only that levels are integers.
#
# The remedy is **uniform dequantization**: add noise $u$ from $[0, 1)$ to each value. Then the
# model assigns each vector of levels $k$ a probability, the mass of its cube:
#
# $$P(k) = \int_{[0, 1)^D} p(k + u) du.$$
#
# The integral is a mean over $u$. The mean of a logarithm is at most the logarithm of the mean
# (Jensen), so
#
# $$E_u [ \log p(k + u) ] \le \log E_u [ p(k + u) ] = \log P(k).$$
#
# Training on noisy data maximizes the left side, which is a **lower bound** on the log-probability
# of the levels (Theis et al. 2016). So the loss of a flow cannot fall below the entropy of the
# levels. We show both facts with a small example: two values with two levels each, and four known
# probabilities.

# %%
table = np.array([0.4, 0.1, 0.2, 0.3])
cells = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
levels = cells[random.choice(4, size=50_000, p=table)].astype("float32")
entropy = -np.sum(table * np.log(table))
flows = {}
for name, points in {
    "levels as they are": levels,
    "levels plus noise": levels + random.random(levels.shape).astype("float32"),
}.items():
    print(name)
    flows[name] = Flow.for_vectors(2, steps=COUPLINGS, hidden=(UNITS, UNITS))
    trained(flows[name], points, CLASS_STEPS)

# The mass of each cell under the flow trained with noise, from 30 x 30 points per cell.
middles = (np.arange(30) + 0.5) / 30
inside = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
in_cells = (cells[:, None] + inside).reshape(-1, 2).astype("float32")
log_p = flows["levels plus noise"].log_prob(in_cells, batch_size=5_000).reshape(4, -1)
bound = -np.sum(table * log_p.mean(axis=1))
nll = -np.sum(table * np.log(np.exp(log_p).mean(axis=1)))
print(f"entropy of the levels                   {entropy:.4f} nats")
print(f"-log P of the levels, from the integral {nll:.4f} nats")
print(f"the bound, -log p of noisy levels       {bound:.4f} nats")


# %%
def known_log_density(points):
    """Returns the density of levels plus noise: the probability of a point's square."""
    squares = np.floor(points).astype(int)
    on_board = np.all((squares >= 0) & (squares < 2), axis=1)
    density = np.where(on_board, table[(squares[:, 0] + 2 * squares[:, 1]) % 4], 0)
    return np.log(density + 1e-12)


drawn = new_figure(10.5, 4)
axis = np.linspace(-0.5, 2.5, 2 * SIDE)
points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2).astype("float32")
names = ["known, with noise", *flows]
functions = [known_log_density, *(found.log_prob for found in flows.values())]
for axes, name, log_density in zip(drawn.subplots(1, 3), names, functions, strict=True):
    density = np.exp(log_density(points)).reshape(2 * SIDE, 2 * SIDE)
    axes.imshow(density, origin="lower", extent=(-0.5, 2.5, -0.5, 2.5), vmin=0, vmax=0.6)
    axes.scatter(*cells.T, s=20, facecolors="none", edgecolors="white")
    axes.set(title=name, xticks=range(3), yticks=range(3))
show(
    drawn,
    "levels",
    "Densities, cut off at 0.6. Without noise, narrow ridges run through the levels (circles).",
)

# %% [markdown]
# Without noise, the loss falls far below the entropy and would continue to fall, so this number is
# meaningless. With noise, the values are in the correct order: the entropy, the negative
# log-probability of the levels, and the bound.
#
# **Bits per dimension.** Papers divide by the number of values $D$, and by $\log 2$ to convert nats
# to bits. One step is easily forgotten. A flow on images operates on $x = (k + u) / 256$, in $[0,
# 1)$. This is one more change of variables, whose log-determinant is $-D \log 256$. So in units of
# one level
#
# $$\text{bits per dimension} = \frac{-\log p(x)}{D \log 2} + \log_2 256.$$
#
# A model that knows nothing, the uniform density on $[0, 1)$, needs 8 bits per dimension, which is
# one byte per value. If a paper scales values to $[-1, 1]$, the last term is $\log_2 128 = 7$. If
# this term is forgotten, the reported numbers are too low by 7 or 8 bits.

# %%
print("uniform in [0, 1) ", bits_per_dimension(0.0, 784, "uniform", levels_per_unit=256), "bits")
density_of_two = 784 * np.log(2)  # nats: uniform in [-1, 1) has the density 1/2 for each value
print("uniform in [-1, 1)", bits_per_dimension(density_of_two, 784, "uniform", 128), "bits")

# %% [markdown]
# ## 8. What flows cannot do
#
# A flow is a smooth map with a smooth inverse. It can stretch and bend the plane, but cannot cut
# it. The plane of latents is connected, and the density of normal noise is positive everywhere. So
# the density of a flow is positive *everywhere*. But data in two clusters with a gap between them
# consist of two pieces. Take the latents of one point from each cluster, and the straight line
# between these latents: the flow maps this line to a path from one cluster to the other, and the
# density is positive along the whole path. This path is the **filament**.

# %%
CLUSTERS = PlanarNormals(np.array([[-1.4, -1.4], [1.4, 1.4]]), std=0.3)
clusters_test = CLUSTERS.sample(POINTS, seed=1)
two = Flow.for_vectors(2, steps=COUPLINGS, hidden=(UNITS, UNITS))
trained(two, CLUSTERS.sample(50_000, seed=0), CLASS_STEPS)
print("KL from the clusters to the flow:", divergence(CLUSTERS, two, clusters_test))
made = two.sample(POINTS, seed=1)
for name, points in (("data", clusters_test), ("samples", made)):
    between = np.sum(np.abs(points.sum(axis=1)) < 1)
    print(f"{name:7} with x + y between -1 and 1: {between} of {POINTS}")
middle = np.zeros((1, 2), "float32")
print(f"density in the middle: known {np.exp(CLUSTERS.log_density(middle))[0]:.0e}", end=", ")
print(f"of the flow {np.exp(two.log_prob(middle))[0]:.0e}")

ends = two.encode(CLUSTERS.centers.astype("float32"))
line = ends[0] + np.linspace(0, 1, 400)[:, None] * (ends[1] - ends[0])
path = two.decode(line.astype("float32"))
print(f"least density of the flow on the path: {np.exp(two.log_prob(path)).min():.0e}")

drawn = new_figure(10.5, 4)
left, center, right = drawn.subplots(1, 3)
grid, _ = square_grid(3.5, 2 * SIDE)
for axes, log_density, name in (
    (left, CLUSTERS.log_density, "known density, logarithm"),
    (center, two.log_prob, "density of the flow, logarithm"),
):
    values = np.asarray(log_density(grid)).reshape(2 * SIDE, -1) / np.log(10)
    axes.imshow(values, origin="lower", extent=(-3.5, 3.5, -3.5, 3.5), vmin=-5, vmax=0)
    axes.set(title=name, xticks=[], yticks=[])
center.plot(*path.T, ":", color="white")
right.scatter(*made.T, s=1.5, linewidths=0)
right.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal", xticks=[], yticks=[])
right.set(title=f"{len(made):,} samples")
show(
    drawn,
    "filament",
    "Two clusters, and a flow: yellow is a density of 1, blue of 0.00001. Dots: a line of latents.",
)

# %% [markdown]
# We placed the clusters on the diagonal. In a first run, they were on one axis. In this case, the
# other number contains no information about the cluster, so no coupling could begin to separate the
# clusters: the flow remained *one* normal distribution, with a divergence of 1.2 nats.
#
# The filament has little mass, and more training makes it thinner. But then the map must stretch
# more and more in the gap, where neighboring latents go to different clusters, and a map with such
# stretching is badly conditioned (Cornish et al. 2020). The same is true for holes: a disk of
# latents cannot become a ring. Remedies are a latent distribution with several pieces, a variable
# that selects the piece, or additional numbers *appended* to the data. Also note that a flow has as
# many latents as the data have values. Unlike a VAE, it does not compress to fewer latents.
#
# ## 9. Images: several scales
#
# In a flow on images, all numbers would pass through all layers, which is slow. Real NVP and Glow
# therefore let half of the channels leave early:
#
# 1. **Squeeze**: each square of 2 × 2 pixels becomes one pixel with four times the channels.
# 2. **Steps**: several times, activation normalization, a 1x1 convolution, and a coupling.
# 3. **Split**: half of the channels leave as latents. The other half continues at step 1.
#
# Nothing is discarded. The channels that leave early are also latents, and their normal density is
# part of the likelihood. They describe details at their scale, given the other latents. So there
# are as many latents as pixels. The logit of section 1 is applied first, because pixel values are
# bounded and normal numbers are not. `Flow.for_images` builds all of this. We use digits with 8 × 8
# pixels and 17 gray levels, on which a small flow learns in half a minute.

# %%
digits = load_digits().images.astype("uint8")[..., None]  # 1797 digits of 8 x 8 pixels
LEVELS = 17  # gray levels, 0 to 16
train_digits, test_digits = digits[:1500], digits[1500:]
glow = Flow.for_images((8, 8, 1), steps=IMAGE_COUPLINGS, filters=32, levels=LEVELS)
glow.compile(Adam(CosineDecay(3e-3, IMAGE_STEPS)), steps_per_execution=PER_CALL)
stream = Source(train_digits, origin="digits").stream(64, 0)
losses = glow.fit(stream, steps_per_epoch=IMAGE_STEPS // 4, epochs=4, verbose=0).history["loss"]


def bits(nats):
    return f"{bits_per_dimension(nats, 64, 'uniform'):.3f} bits per dimension"


counts = np.stack([np.mean(train_digits == level, axis=0) for level in range(LEVELS)])
smoothed = (1500 * counts + 1) / (1500 + LEVELS)  # for each pixel separately
histograms = np.log(np.choose(test_digits, smoothed)).reshape(len(test_digits), -1).sum(axis=1)
print("all levels alike                 ", bits(64 * np.log(LEVELS)))
print("a histogram for each pixel, test ", bits(-histograms.mean()))
print("flow, last quarter of training   ", bits(losses[-1]))
print("flow, test digits                ", bits(-glow.log_prob(test_digits).mean()))
codes = glow.encode(test_digits[:12])
print("latents of a digit:", codes.shape[1])

# %% [markdown]
# The class's `log_prob` already uses one level as its unit, so we do not have to add anything here.
# The flow predicts test digits better than a histogram for each pixel does. It predicts its
# training digits even better, because 1,500 training digits are few.
#
# The first 32 latents leave at the fine scale, and the last 32 latents leave at the coarse scale.
# We resample one part to see what it encodes. The inverse is exact: from unchanged latents, each
# digit is recovered.

# %%
fresh = random.normal(size=codes.shape).astype("float32")
parts = {
    "test digits, decoded": codes,
    "fine latents drawn anew": np.concatenate([fresh[:, :32], codes[:, 32:]], axis=1),
    "coarse latents drawn anew": np.concatenate([codes[:, :32], fresh[:, 32:]], axis=1),
    "samples": fresh,
}
rows = np.split(glow.decode(np.concatenate(list(parts.values()))), 4)
print("pixels that differ from the test digits:", np.sum(rows[0] != test_digits[:12]))
show(
    captioned([15 * row for row in rows], list(parts)),  # 15 * 16 is nearly white
    "scales",
    "Digits with resampled fine or coarse latents, and full samples.",
)

# %% [markdown]
# The fine latents encode little more than shades of single pixels: the digit does not change. With
# resampled coarse latents, the digits change. The last two rows share their coarse latents and look
# alike. Here are samples from a published run, with larger images and longer training:
#
# ![Samples of Glow for handwritten digits.](../../recipes/results/glow_mnist.png)
#
# ### Other flows
#
# Couplings are one answer to the demands of section 2. There are four others:
#
# - **Autoregressive flows.** In a coupling, half of the numbers determine the scales and shifts of
#   the other half. In a *masked autoregressive flow* (Papamakarios et al. 2017), every number is
#   scaled and shifted by functions of *all* preceding numbers: $z_i = (x_i - m_i)\, e^{-s_i}$, with
#   $m_i$ and $s_i$ from the network MADE of [chapter 7](07_autoregressive.md). The Jacobian is
#   triangular, so $\log |\det| = -\sum_i s_i$, and all $z_i$ are computed in one pass. With a
#   single such layer, this is an autoregressive model with normal conditionals. The inverse needs
#   one pass per number, so sampling is slow. The *inverse autoregressive flow* (Kingma et al. 2016)
#   uses the opposite direction: samples are fast, densities of new points are slow. This suits the
#   encoder of a VAE, which only evaluates its own samples.
# - **Splines** (Durkan et al. 2019) replace the affine map of a coupling by an increasing piecewise
#   rational function of each number, whose inverse and slope are known. One coupling can then place
#   several modes.
# - **Residual flows** (Behrmann et al. 2019): $z = x + g(x)$ is invertible if the slope of $g$ is
#   below 1, which spectral normalization ensures ([chapter 10](10_gans_that_draw.md)). The inverse
#   is a fixed-point iteration, and the log-determinant is the series $\mathrm{tr} J - \mathrm{tr}
#   J^2 / 2 + \ldots$ with the Jacobian $J$ of $g$, whose traces are estimated with random vectors.
# - **Continuous flows**: many small residual steps become a differential equation $dx / dt = u(x,
#   t)$, and the log-determinant becomes an integral, $d \log p / dt = -\mathrm{div}\, u$. [Chapter
#   13](13_diffusion.md), section 7, derives this formula and computes likelihoods with it.
#
# The library contains only couplings and the continuous flows of chapter 13. All of these flows are
# continuous maps, so the filament of section 8 occurs in each of them.
#
# ## 10. Common claims, and what is true
#
# - **"$p_X(x) = p_Z(z) |\det \partial x / \partial z|$."** This is upside down. If the map leads
#   from noise to data, the density is divided by its determinant (question 1). As a quick check, if
#   the *data* are stretched, their density must fall.
# - **"Flows give the exact likelihood of images."** The likelihood is exact for the density of
#   noisy values. For the levels, which are stored in a file, it is a bound (section 7). Noise with
#   a learned distribution improves the bound (Ho et al. 2019).
# - **"The networks of a coupling must be invertible."** They are never inverted. Only the scaling
#   and the shift are inverted.
# - **"The multi-scale flow discards half of the numbers."** These numbers leave as latents and
#   contribute to the likelihood.
# - **"A better likelihood means better samples."** Mix a good model with 99% noise. The
#   log-likelihood of each image falls by at most $\log 100 = 4.6$ nats. That is negligible compared
#   with an image's hundreds of nats, yet nearly all samples are noise (Theis et al. 2016).
# - **"A likelihood distinguishes strange images from common images."** Flows trained on photographs
#   of objects assign house numbers, which they have never seen, a *higher* likelihood (Nalisnick et
#   al. 2019). Smooth images are likely, whatever they show.
#
# ## Questions
#
# **1.** Suppose that a flow is written as a generator $x = g(z)$. What is $\log p_X(x)$ in terms of
# $g$?
#
# <details markdown="1"><summary>Answer</summary>
#
# $f$ is the inverse of $g$, so its Jacobian is the inverse matrix, and its determinant is the
# reciprocal of the determinant of $g$'s Jacobian. With $z = g^{-1}(x)$, the formula is $\log p_X(x)
# = \log p_Z(z) - \log
# |\det \partial g / \partial z|$. The sign is a minus: where the generator stretches, its samples
# are spread thin.
#
# </details>
#
# **2.** NICE (Dinh et al. 2015) has couplings without scales: $y_2 = x_2 + t(x_1)$. Which 2-D
# densities are impossible for a chain of these couplings with normal latents?
#
# <details markdown="1"><summary>Answer</summary>
#
# The log-determinant of such a chain is 0, so $p_X(x) = N(f(x); 0, I)$. This density never exceeds
# $1 / (2 \pi) = 0.159$, the normal density at 0. So a narrow peak is impossible: such a flow moves
# mass around but never makes it denser. The paper adds one layer at the end that scales each number
# by a constant.
#
# </details>
#
# **3.** Change the code: in section 5, give all couplings `flip=False`. Which part of the moons can
# the flow learn, and what do the pictures show?
#
# <details markdown="1"><summary>Answer</summary>
#
# Write `flip=False` in the chain. Now $x_1$ always stays: the first latent equals the first number
# of the data, with a variance of about 3 instead of 1. The grid moves only vertically. For each
# $x_1$, $x_2$ is only scaled and shifted, so the density along each vertical line is normal. Where
# one moon is above the other, the model fills the gap. In our run, the divergence was 0.97 nats
# instead of 0.11.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | 2-D densities | `Flow`, `MADE` | [densities_plane](../../recipes/densities_plane.py) | KL from the moons 0.0055 nats; MADE 0.003067 | [Dinh et al. 2017](https://arxiv.org/abs/1605.08803) |
# | couplings for images | `Flow` | [real_nvp_mnist](../../recipes/real_nvp_mnist.py) | 1.1539 bits per dimension; boosted trees 0.9897 | [Dinh et al. 2017](https://arxiv.org/abs/1605.08803) |
# | 1x1 convolutions | `Flow` | [glow_mnist](../../recipes/glow_mnist.py) | 1.1939 bits per dimension; boosted trees 0.9897; paper 1.05 | [Kingma, Dhariwal 2018](https://arxiv.org/abs/1807.03039); value from [Grathwohl et al. 2019](https://arxiv.org/abs/1810.01367) |
# | faces, attributes as directions | `Flow` | [glow_celeb_a](../../recipes/glow_celeb_a.py) | 3.864 bits per dimension; boosted trees 3.790 | [Kingma, Dhariwal 2018](https://arxiv.org/abs/1807.03039) |
# | class-conditional densities | `ConditionalFlow` | [conditional_flow_adult](../../recipes/conditional_flow_adult.py) | 17.673 nats; Bayesian network 17.33 | [Winkler et al. 2019](https://arxiv.org/abs/1912.00042) |
# | sounds from spectrograms | `WaveGlow` | [waveglow_spoken_digit](../../recipes/waveglow_spoken_digit.py) | digits recognized 89.20%; Griffin-Lim 95.20 | [Prenger et al. 2019](https://arxiv.org/abs/1811.00002) |
