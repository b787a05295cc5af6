# %% [markdown]
# # 9. GANs: the game, its vector field, why it fails, and what helps
#
# A generative adversarial network (GAN) has no likelihood. Two networks play against each other:
# the **generator** $G$ generates examples from noise, and the **discriminator** $D$ predicts the
# probability that an example is real. Why does this work, and why does it fail so often? We study
# games so small that everything can be computed, and turn to images at the end.
#
# After this chapter, you can derive the best discriminator, the two generator losses, and the
# vector field of the game, and explain the purpose of each of the usual remedies.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, with fewer steps.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import SGD, Adam

from keras_gen import GAN, WGANGP, load
from keras_gen.core import GenerativeModel, Player, minimize
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.data import points_around, small_images
from keras_gen.losses import R1, GradientPenalty, Minimax
from keras_gen.metrics import (
    gaussian_modes,
    ring_centers,
    trajectory,
    update_field,
    update_jacobian,
)
from keras_gen.networks import dirac_networks, mlp_decoder, mlp_encoder
from keras_gen.workshop.visualize import (
    captioned,
    new_figure,
    point_strips,
    show,
    vector_fields,
)

QUICK = bool(os.environ.get("QUICK"))
D_STEPS = 50 if QUICK else 1500  # for the discriminator of two normal distributions
ARROWS = 5 if QUICK else 13  # along each axis of a field
PATH = 20 if QUICK else 200  # steps per path
RING_STEPS = 5 if QUICK else 1500  # for each GAN on points
PER_CALL = 1 if QUICK else 50  # steps per TensorFlow call, for the GANs below
IMAGE_STEPS = 2 if QUICK else 1000  # for the GAN on images
FILTERS = 4 if QUICK else 16  # of its networks

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. The game
#
# Let $p$ be the density of the data, and $q$ the density of the generator's examples. The
# discriminator's goal is to output 1 for data and 0 for generated examples. The two players share
# one value, which $D$ maximizes and $G$ minimizes (Goodfellow et al. 2014, equation 1):
#
# $$V(D, G) = E_{x \sim p} [ \log D(x) ] + E_{x \sim q} [ \log (1 - D(x)) ].$$
#
# Here, $E_{x \sim p}$ is the mean over examples $x$ sampled from $p$.
#
# **The best discriminator.** Keep $G$ fixed, and therefore $q$. Then $V$ is an integral of $p(x)
# \log D(x) + q(x) \log (1 - D(x))$, and $D$ may be chosen at each $x$ separately. The derivative
# with respect to the number $D(x)$ is $p(x) / D(x) - q(x) / (1 - D(x))$. This derivative falls as
# $D(x)$ grows, so $V$ is largest where the derivative is 0:
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}.$$
#
# **The value of the game.** Insert $D^*$ into $V$, and let $m = (p + q) / 2$ be the mean of both
# densities. Then $\log (p / (p + q)) = \log (p / m) - \log 2$ and $\log (q / (p + q)) = \log (q /
# m) - \log 2$. Two Kullback-Leibler divergences from $m$ remain, such as $\mathrm{KL}(p, m) = E_{x
# \sim p} [ \log (p(x) / m(x)) ]$:
#
# $$V(D^*, G) = -2 \log 2 + \mathrm{KL}(p, m) + \mathrm{KL}(q, m)
# = -2 \log 2 + 2 \mathrm{JS}(p, q).$$
#
# JS is the **Jensen-Shannon divergence**, half the sum of the two divergences. A KL divergence is
# never negative, and it is 0 *only if* its two densities are equal, because the logarithm is
# strictly concave (Jensen's inequality, chapter 4). So JS is 0 if and only if $p = m = q$. It is at
# most $\log 2$, because $p / m$ and $q / m$ are at most 2. This is the main theorem of Goodfellow
# et al.: against the best discriminator, the generator minimizes a divergence, and the game has the
# smallest possible value, $-2 \log 2$, if and only if $q = p$. We check both formulas with two
# normal distributions whose densities we know.
#
# In code, $D$ is the sigmoid of a **logit**, the number that the network returns. With
# $\mathrm{softplus}(l) = \log(1 + e^l)$, $-\log D$ is the softplus of the negative logit, and
# $-\log (1 - D)$ is the softplus of the logit. `Minimax` computes the negative of $V$ in this way.


# %%
def normal_density(x, mean, deviation):
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))


def draws(mean, deviation, number=512):
    return (mean + deviation * random.normal(size=(number, 1))).astype("float32")


discriminator = mlp_encoder((1,), 1, (32, 32), "tanh", heads=("logits",))
optimizer = Adam(5e-3)
optimizer.build(discriminator.trainable_variables)


@tf.function
def discriminator_step(real, fake):
    def loss():
        return Minimax().discriminator(discriminator(real), discriminator(fake))

    return tf.reduce_mean(minimize(loss, optimizer, discriminator))


losses = [float(discriminator_step(draws(0, 1), draws(1.5, 0.5))) for _ in range(D_STEPS)]

x = np.linspace(-4, 4, 801)
p = normal_density(x, 0, 1)
q = normal_density(x, 1.5, 0.5)
best = p / (p + q)
m = (p + q) / 2
js = 0.5 * np.sum(p * np.log(p / m) + q * np.log(q / m)) * (x[1] - x[0])
learned = tf.sigmoid(discriminator(x[:, None].astype("float32")))[:, 0].numpy()
print(f"largest error of D where p + q is above 0.1   {abs(learned - best)[m > 0.05].max():.3f}")
print(f"2 log 2 - 2 JS, from the densities            {2 * np.log(2) - 2 * js:.3f} nats")
print(f"loss of the last 500 steps, from samples      {np.mean(losses[-500:]):.3f} nats")

drawn = new_figure(10, 4)
left, right = drawn.subplots(1, 2)
left.fill_between(x, p, alpha=0.4, label="data, p")
left.fill_between(x, q, alpha=0.4, label="generator, q")
left.plot(x, learned, color="black", label="D, trained")
left.plot(x, best, ":", color="tab:red", linewidth=3, label="p / (p + q)")
left.set(xlabel="x", ylabel="density, and D(x)")
left.legend(loc="center left")

distances = np.linspace(-2, 2, 81)
divergences = []
for distance in distances:
    near = normal_density(x, 0, 0.1) + 1e-300
    far = normal_density(x, distance, 0.1) + 1e-300
    middle = (near + far) / 2
    parts = near * np.log(near / middle) + far * np.log(far / middle)
    divergences.append(0.5 * np.sum(parts) * (x[1] - x[0]))
right.plot(distances, divergences, label="Jensen-Shannon divergence, nats")
right.plot(distances, abs(distances), label="Wasserstein distance")
right.axhline(np.log(2), color="gray", linestyle="--", label="log 2")
right.set(xlabel="distance of two densities with standard deviation 0.1")
right.legend(loc="upper center")
show(
    drawn,
    "best_discriminator",
    "Left: the trained discriminator, and the best one. Right: two divergences, by distance.",
)

# %% [markdown]
# On the left, $D$ is accurate wherever there are examples. Beyond 2.5, there are almost no
# examples, so $D$ learns little there.
#
# The right panel shows the first problem. If the densities barely overlap, JS is nearly $\log 2$,
# whether they are close together or far apart. JS is then almost flat, so it does not tell the
# generator in which direction to move. The **Wasserstein distance** is the average distance over
# which mass must be moved, by the shortest plan, to turn one density into the other. Here, it
# equals the distance between the means: the moves of every plan have this mean, so shifting all
# mass is the shortest plan. Its slope has size 1, however far apart the densities are. Section 5
# uses this distance as a loss.
#
# **Instance noise** (Sønderby et al. 2017; Arjovsky and Bottou 2017) is another remedy. Add normal
# noise to all examples that $D$ sees, real and generated, and reduce it during training. Then $D$
# compares $p * N(0, s^2)$ with $q * N(0, s^2)$, two densities that overlap. The goal does not
# change. A convolution multiplies characteristic functions, and the characteristic function of a
# normal distribution is never 0, so the noisy densities are equal only if $p = q$.

# %%
line = np.linspace(-6, 8, 1401)
distances = np.linspace(0, 4, 81)
drawn = new_figure(10, 3.6)
left, right = drawn.subplots(1, 2)
# Colors that color-blind readers can distinguish (Okabe, Ito).
for noise, color in ((0.0, "#000000"), (0.5, "#E69F00"), (1.0, "#0072B2")):
    deviation = np.hypot(0.1, noise)
    name = f"noise {noise:g}" if noise else "no noise"
    near = normal_density(line, 0, deviation) + 1e-300
    left.plot(line, near, color=color, label=name)
    left.plot(line, normal_density(line, 1.5, deviation), "--", color=color)
    divergences = []
    for distance in distances:
        far = normal_density(line, distance, deviation) + 1e-300
        middle = (near + far) / 2
        parts = near * np.log(near / middle) + far * np.log(far / middle)
        divergences.append(0.5 * np.sum(parts) * (line[1] - line[0]))
    right.plot(distances, divergences, color=color, label=name)
    slope = np.interp(1.55, distances, divergences) - np.interp(1.45, distances, divergences)
    print(f"{name:9} slope of JS at distance 1.5: {slope / 0.1:.4f} nats per unit")
left.set(xlabel="x", ylabel="density", xlim=(-3, 4.5))
right.set(xlabel="distance of the means", ylabel="Jensen-Shannon divergence, nats")
for axes in (left, right):
    axes.legend()
show(
    drawn,
    "instance_noise",
    "Noise makes distant densities overlap, and gives their divergence a slope. Left: data (solid)"
    " and generator (dashed). Right: JS by distance.",
)

# %% [markdown]
# **Other divergences.** JS is one of many. For a convex $f$ with $f(1) = 0$, the *f-divergence* is
# $\int q f(p / q) dx$. With the convex conjugate $f^*(t) = \sup_u (u t - f(u))$, we have $f(u) \ge
# u t - f^*(t)$ for every $t$. Choosing $t = T(x)$ and $u = p / q$ gives
#
# $$\int q f(p / q) dx \ge E_p [T(x)] - E_q [f^*(T(x))],$$
#
# with equality for $T = f'(p / q)$, because the supremum is then at $u = p / q$. A network $T$ that
# maximizes the right-hand side therefore estimates the divergence from examples alone. This is
# **f-GAN** (Nowozin et al. 2016), and the minimax game is the case of JS (question 4). The choice
# matters if the generator cannot represent the data. $\mathrm{KL}(p, q)$ is large wherever $q$ is
# small but $p$ is not, so its best normal distribution covers all modes. The **reverse KL
# divergence** $\mathrm{KL}(q, p)$ is large wherever $q$ puts mass where there are no data, so its
# best normal distribution selects one mode. The recipe `f_gan_line` trains one normal distribution
# on two modes with each divergence:
#
# ![Four panels, each with a fitted normal density over a density with two modes.](../../recipes/results/f_gan_line.png)
#
# *f-GAN finds the best normal distribution (the curves coincide) for each divergence.*
#
# Pearson's $\chi^2$ divergence, the mean over $q$ of $(p / q - 1)^2$, covers both modes, as KL
# does. JS selects one mode here.
#
# ## 2. Two generator losses
#
# The generator sees $D$ only at its own examples. Let $l$ be the logit of a generated example, so
# $D = 1 / (1 + e^{-l})$. Two losses are common:
#
# - **minimax**, or saturating: $\log (1 - D)$. Its derivative with respect to $l$ is $-D$.
# - **non-saturating**: $-\log D$. Its derivative with respect to $l$ is $-(1 - D)$.
#
# Both fall as $D$ grows. But early in training, the discriminator is confident, and $D$ is near 0
# for generated examples. In this case, the derivative of the minimax loss is nearly 0, and the
# derivative of the non-saturating loss is nearly -1. The derivative with respect to the *logit* is
# the one that matters: the network moves the logit, and $D$ itself barely moves where the sigmoid
# is flat.

# %%
logits = np.linspace(-8, 8, 201)
D = 1 / (1 + np.exp(-logits))
drawn = new_figure(10, 4)
left, right = drawn.subplots(1, 2)
left.plot(D, np.log(1 - D), label="minimax, log(1 - D)")
left.plot(D, -np.log(D), label="non-saturating, -log D")
left.set(xlabel="D of a generated example", ylabel="loss of the generator, nats")
right.plot(logits, D, label="minimax, D")
right.plot(logits, 1 - D, label="non-saturating, 1 - D")
right.axvline(0, color="gray", linestyle="--", linewidth=1)
right.set(xlabel="logit of a generated example", ylabel="size of the derivative by the logit")
for axes in (left, right):
    axes.legend()
show(
    drawn,
    "losses",
    "Left: two losses of the generator. Right: their slopes in the logit. Where D is confident, at "
    "the left end of the right panel, only the non-saturating loss has a slope.",
)

# %% [markdown]
# Some lecture slides claim that changing the loss does not affect the dynamics. The *fixed point*
# is the same for both losses, and so is the derivative at this point: at $D = 1/2$, both
# derivatives are $-1/2$. Everywhere else, the generator's step has a different length, so the game
# follows a different path. The next section proves and plots this.
#
# ## 3. The field of the game
#
# The smallest GAN, the *Dirac-GAN*, has two parameters (Mescheder et al. 2018). All data are 0. The
# generator outputs the number $\theta$, and the discriminator's logit is $\psi x$. The only
# equilibrium, where neither player gains by moving alone, is $\theta = \psi = 0$. At $x = 0$, the
# logit is always 0, so only generated examples matter: the value is $V = -\log 2 - \log (1 +
# e^{\theta \psi})$. The players follow the gradient of $V$: $D$ ascends it, and $G$ descends it.
# With the non-saturating loss, $G$ instead ascends the gradient of $\log D = -\log (1 + e^{-\theta
# \psi})$. With $s$ for the sigmoid, and a dot for the time derivative:
#
# $$\dot\psi = -\theta s(\theta \psi), \qquad \dot\theta = \psi s(\theta \psi)
# \quad \text{(minimax)}, \qquad \dot\theta = \psi s(-\theta \psi) \quad \text{(non-saturating)}.$$
#
# How does the distance to the equilibrium change? Half of the squared distance has the derivative
# $\theta \dot\theta + \psi \dot\psi$. With minimax, this derivative is 0: along the field, the
# distance stays constant. With the non-saturating loss, it is
#
# $$\theta \psi ( s(-\theta \psi) - s(\theta \psi) ) = -\theta \psi \tanh(\theta \psi / 2),$$
#
# because $s(u) - s(-u) = (e^u - 1) / (e^u + 1) = \tanh(u / 2)$. This derivative is negative except
# on the axes. So the two losses have different dynamics even in the smallest GAN.
#
# **Near the equilibrium**, $s = 1/2$, so both are the same linear field:
#
# $$\dot\theta = \psi / 2, \qquad \dot\psi = -\theta / 2.$$
#
# A solution is $\theta = e^{\lambda t}$ with $\psi = 2 \lambda e^{\lambda t}$, where $2 \lambda^2 =
# -1/2$, so $\lambda = \pm i/2$: these are the eigenvalues of the field. They are imaginary, so the
# players circle around the equilibrium, and no distance shrinks by a constant factor. Steps of
# length $h$ are worse. If both players move simultaneously, a step adds $h$ times the field, so an
# eigenvalue $\lambda$ becomes $1 + h \lambda = 1 \pm ih/2$, whose modulus is $\sqrt{1 + h^2/4} >
# 1$. The path diverges. If the players take turns, as in `GAN`, first $\psi' = \psi - \frac{h}{2}
# \theta$ and then $\theta' = \theta + \frac{h}{2} \psi' = (1 - \frac{h^2}{4}) \theta + \frac{h}{2}
# \psi$. This matrix has determinant 1 and, for $h < 4$, complex eigenvalues, so their modulus is
# exactly 1. The path is then an ellipse, nearly a circle for small $h$.
#
# **R1.** Add $\frac{\gamma}{2} |\partial l / \partial x|^2$ at the data to the discriminator's
# loss, where $l$ is the logit of an example $x$. Here, this penalty is $\frac{\gamma}{2} \psi^2$,
# so $\dot\psi$ gets a friction term, $-\gamma \psi$. The solution above now requires $2 \lambda^2 =
# -1/2 - 2 \gamma \lambda$:
#
# $$\lambda = -\frac{\gamma}{2} \pm \frac{1}{2} \sqrt{\gamma^2 - 1}.$$
#
# The real part of both eigenvalues is negative for every $\gamma > 0$: for $\gamma > 1$, the root
# is real, and smaller than $\gamma$. So the game converges near the equilibrium. In an alternating
# step, $\psi' = (1 - h \gamma) \psi - \frac{h}{2} \theta$, and $\theta' = \theta + \frac{h}{2}
# \psi'$ as before, so
#
# $$\begin{pmatrix} \theta' \\ \psi' \end{pmatrix} = \begin{pmatrix} 1 - h^2 / 4 & \frac{h}{2} (1 - h
# \gamma) \\ -h / 2 & 1 - h \gamma \end{pmatrix} \begin{pmatrix} \theta \\ \psi \end{pmatrix}.$$
#
# Its determinant is $1 - h \gamma$, so complex eigenvalues have the modulus $\sqrt{1 - h \gamma}$.
# We measure the eigenvalues of the library's own training step and compare them with the matrices
# of these steps. The Wasserstein game is omitted: its penalty has a kink at $\psi = 0$, so it has
# no such matrix.

# %%
H = 0.2  # step length
GAMMA = 0.6  # weight of R1
ZERO = np.zeros((1, 1))  # all data


def dirac_gan(objective, penalty=None, h=H):
    """Returns a GAN with two numbers, trained by plain gradient descent."""
    model = GAN(*dirac_networks(), objective, penalty, data="vectors")
    model.compile(d_optimizer=SGD(h), g_optimizer=SGD(h))
    return model


games = {
    "minimax": dirac_gan("minimax"),
    "non-saturating": dirac_gan("non_saturating"),
    "non-saturating with R1": dirac_gan("non_saturating", R1(GAMMA)),
    "Wasserstein with gradient penalty": dirac_gan("wasserstein", GradientPenalty(0.5)),
}
turns = np.array([[1 - H**2 / 4, H / 2], [-H / 2, 1]])
with_r1 = np.array([[1 - H**2 / 4, H / 2 * (1 - H * GAMMA)], [-H / 2, 1 - H * GAMMA]])
theory = {"minimax": turns, "non-saturating": turns, "non-saturating with R1": with_r1}
print("size of a step's eigenvalues at the equilibrium     measured   by the formula")
for name, matrix in theory.items():
    step = update_jacobian(games[name], ZERO, np.zeros(2))
    measured = abs(np.linalg.eigvals(step)).max()
    print(f"{name:50} {measured:9.4f} {abs(np.linalg.eigvals(matrix)).max():16.4f}")

# %% [markdown]
# Now we plot the paths, all from the same starting point.

# %%
axis = np.linspace(-2, 2, ARROWS)
points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
panels = {}
for name, game in games.items():
    path = trajectory(game, ZERO, np.array([1.0, 1.0]), PATH)
    panels[name] = (points, update_field(game, ZERO, points), path)
    print(f"{name:35} ends {np.linalg.norm(path[-1]):.3f} from the equilibrium")
names = ["theta, the generator", "psi, the discriminator"]
show(
    vector_fields(panels, names),
    "fields",
    "The field of the two players, and a path (blue) from the dot to the star.",
)

# %% [markdown]
# The first two fields differ in the corners, where $\theta \psi$ is far from 0: where one loss
# moves the generator quickly, the other barely moves it. The minimax path is a ring. The
# non-saturating path comes closer, but more and more slowly, because near the equilibrium, the
# non-saturating loss has the same rotation as the minimax loss. R1 converges. With the Wasserstein
# loss of section 5 and a gradient penalty of weight $w$, the critic's loss is $\theta \psi + w
# (|\psi| - 1)^2$ and the generator's loss is $-\theta \psi$, so
#
# $$\dot\psi = -\theta - 2 w (|\psi| - 1)\, \mathrm{sign}(\psi), \qquad \dot\theta = \psi.$$
#
# The generator is at rest only at $\psi = 0$. But the penalty pushes $\psi$ away from 0, toward
# $\pm 1$, with a force that is $2 w$ near 0. So the path does not converge.
#
# **Consensus optimization** (Mescheder et al. 2017) adds another kind of friction. Let $v$ be the
# field of the game, and $L = \frac{1}{2} |v|^2$, which is 0 exactly at the points where no player
# moves. Mix in a descent on $L$, with weight $w$:
#
# $$(1 - w) v - w \nabla L.$$
#
# Near an equilibrium, $v = A x$ with the deviation $x$ from the equilibrium, and $\nabla L = A^T A
# x$. For a pure rotation, $A^T A$ is a multiple of the identity, so $-\nabla L$ points straight to
# the center. But $-\nabla L$ knows nothing about the players' goals, so it can also lead to points
# that nobody wants. An example is a game with data $\pm 1$, a generator that outputs $\pm \theta$,
# and the critic $\psi x^2$. Its value is $V = \psi (1 - \theta^2)$, so $\dot\psi = 1 - \theta^2$
# and $\dot\theta = 2 \psi \theta$, with an equilibrium at $\theta = 1$, $\psi = 0$. Here $L =
# \frac{1}{2} (1 - \theta^2)^2 + 2 \psi^2 \theta^2$. At $\theta = 0$, its slope in $\theta$ is 0,
# and its second derivative is $4 \psi^2 - 2$. For $|\psi| > 0.71$, descent on $L$ is attracted to
# $\theta = 0$, although the game itself leaves this point if $\psi > 0$.


# %%
def mixed(point, weight):
    """Returns the field of the game, mixed with the descent on half of its squared length."""
    theta, psi = point
    game = np.array([2 * psi * theta, 1 - theta**2])
    slope = np.array([4 * psi**2 * theta - 2 * theta * (1 - theta**2), 4 * psi * theta**2])
    return (1 - weight) * game - weight * slope


grid = np.meshgrid(np.linspace(0.02, 2.2, ARROWS), np.linspace(-1.5, 2.2, ARROWS))
drawn = new_figure(10.5, 4)
panels = drawn.subplots(1, 3, sharey=True)
for axes, weight in zip(panels, (0.0, 0.6, 1.0), strict=True):
    arrows = mixed(np.stack(grid), weight)
    axes.quiver(*grid, *(arrows / np.linalg.norm(arrows, axis=0)), color="0.7", width=0.004)
    ends = []
    for start, color in (((0.6, 0.3), "#0072B2"), ((0.3, 1.2), "#B34700")):
        path = [np.array(start)]
        for _ in range(4 * PATH):
            middle = path[-1] + 0.005 * mixed(path[-1], weight)
            path.append(path[-1] + 0.01 * mixed(middle, weight))
        axes.plot(*np.transpose(path), color=color)
        axes.plot(*path[0], "o", color=color)
        axes.plot(*path[-1], "*", color=color, markersize=11)
        ends.append(path[-1])
    axes.plot(1, 0, "k+", markersize=12)
    axes.set(title=f"weight {weight:g}", xlabel="theta, the generator")
    axes.set(xlim=(-0.1, 2.2), ylim=(-1.5, 2.3))
    print(f"weight {weight}: paths end at", *(f"({a:.2f}, {b:.2f})" for a, b in ends))
panels[0].set_ylabel("psi, the critic")
show(
    drawn,
    "consensus",
    "Consensus stops the circling near the equilibrium (cross), but creates a stable point at theta"
    " = 0. Each panel shows two paths, from the dot to the star.",
)

# %% [markdown]
# Without consensus, both paths circle forever. With weight 0.6 and with the descent alone, the path
# that starts near the equilibrium converges. The other path goes to $\theta = 0$: the generator
# outputs 0, which never occurs in the data. With the descent alone, it stays there. With weight
# 0.6, the critic's part of the game remains, so $\psi$ grows without bound, and the generator does
# not move. So consensus is safe only near an equilibrium.
#
# ## 4. The training step
#
# This is algorithm 1 of Goodfellow et al. with the non-saturating loss. `players` assigns an
# optimizer to each network, `minimize` updates only one player's networks, and `totals` lists the
# reported losses.
#
# ![The generator turns noise into examples. The discriminator receives these and real examples. Dashed arrows show that the discriminator's loss trains only the discriminator, and that the generator's loss trains only the generator.](diagrams/09_gan.svg)
#
# *Two losses, two players. Dashed: which network each loss updates.*


# %%
class PlainGAN(GenerativeModel):
    """The generator takes latents of two dimensions, and the discriminator returns a logit."""

    totals = ("d_loss", "g_loss")

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.edges["x"] = Vectors((2,))

    def players(self):
        return {
            "d_optimizer": Player([self.discriminator]),
            "g_optimizer": Player([self.generator]),
        }

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]
        # The latents have as many numbers as the points, two.
        fake = self.generator(self.normal("first", tf.shape(x)), training=True)

        def discriminator_loss():
            real_logits = self.discriminator(x, training=True)[:, 0]
            fake_logits = self.discriminator(fake, training=True)[:, 0]
            # -log D(x) - log(1 - D(G(z))) of each example: `minimize` takes the mean.
            return tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits)

        d_loss = self.minimize(discriminator_loss, "d_optimizer")

        def generator_loss():
            fake = self.generator(self.normal("second", tf.shape(x)), training=True)
            return tf.nn.softplus(-self.discriminator(fake, training=True)[:, 0])  # -log D(G(z))

        g_loss = self.minimize(generator_loss, "g_optimizer")
        return self.report(d_loss=d_loss, g_loss=g_loss)


# %% [markdown]
# ## 5. Lost modes and remedies
#
# The usual test is a ring of eight narrow normal distributions, each of which is called a **mode**.
# Against the best discriminator, a generator that covers only one mode has a JS of 0.497 (with $p =
# q / 8$ on the covered mode, $q = 0$ elsewhere), not far from the maximum, $\log 2 = 0.693$. But if
# $D$ learns slowly, the generator finds the point where $D$ is currently highest and sends its
# examples there. When $D$ has learned to reject these examples, the generator moves on. This is
# called **mode collapse**. We compare:
#
# - `PlainGAN` whose discriminator learns ten times more slowly than its generator;
# - `PlainGAN` with equal learning rates;
# - `GAN` with `R1`: the friction of section 3;
# - `WGANGP`: the Wasserstein distance as the loss (Arjovsky et al. 2017; Gulrajani et al. 2017).
#   The distance is the largest possible difference between the mean of $D$ over data and the mean
#   of $D$ over generated examples, among all functions $D$ whose slope never exceeds 1 (the
#   Kantorovich–Rubinstein duality, which we do not prove). $D$ now returns any number, not a
#   probability, and is called the **critic**. It minimizes $E_q D - E_p D + w E (|\partial D /
#   \partial x| - 1)^2$ at points between data and generated examples, with a small weight $w$ for
#   such small networks, and makes five updates per generator update. The generator minimizes $-E_q
#   D$. The duality allows slopes below 1, but the penalty also punishes them. The best critic is
#   not harmed, because its slope *is* 1 almost everywhere on the lines along which the best plan
#   moves mass, and points between data and generated examples are meant to be on such lines.
#
# There are many other remedies, which the recipes `gan_modes`, `wgan_distances`, and
# `gan_objectives_fashion_mnist` compare:
#
# - **Weight clipping** is the first way to bound the critic's slope (Arjovsky et al. 2017): after
#   each update, clip each weight to $[-c, c]$. The bound holds but depends on $c$ and the depth,
#   and clipped critics tend to be too simple.
# - **DRAGAN** (Kodali et al. 2017) penalizes $(|\partial l / \partial x| - 1)^2$ at real examples
#   with added noise, where $l$ is the logit, because sharp slopes near data precede collapse in
#   their experiments. Our published comparison does not confirm the benefit: the kernel distance on
#   clothes is 0.0945 with DRAGAN and 0.0276 without any penalty, with one run each.
# - **Minibatch discrimination** (Salimans et al. 2016) and **PacGAN** (Lin et al. 2018) let $D$ see
#   several examples at once: PacGAN passes $m$ examples of one kind as a single input. A generator
#   that always returns the same mode is then easily detected, because real groups are diverse.
# - An **unrolled GAN** (Metz et al. 2017) computes the generator's gradient through $k$ future
#   updates of $D$, so $G$ does not run to the point where $D$ is currently highest.
# - **Two time scales** (Heusel et al. 2017): a higher learning rate for $D$ keeps $D$ close to its
#   best response, as several updates of $D$ per step do.
#
# Below, a mode counts as covered if one of 2,500 generated points is near it, within three standard
# deviations of its center. A cloud over the whole plane would cover all modes, so the fraction of
# all points near a mode is reported as well.

# %%
CENTERS = ring_centers(8)
WIDTH = 0.05  # standard deviation of each mode
BATCH = 256
TIMES = 5
ring = points_around(CENTERS, WIDTH, 50_000, 0)


def networks():
    return (
        mlp_decoder((2,), 2, (64, 64), "relu"),
        mlp_encoder((2,), 1, (64, 64), "relu", heads=("logits",)),
    )


methods = {  # model, updates of D in a step, learning rate of D
    "slow D": (PlainGAN(*networks()), 1, 1e-4),
    "equal rates": (PlainGAN(*networks()), 1, 1e-3),
    "with R1": (GAN(*networks(), penalty=R1(0.1), data="vectors"), 1, 1e-3),
    "WGAN-GP": (WGANGP(*networks(), penalty_weight=0.1, data="vectors"), 5, 1e-3),
}
latents = random.normal(size=(2500, 2)).astype("float32")
rows = {}
for name, (method, updates, rate) in methods.items():
    method.compile(
        d_optimizer=Adam(rate, 0.5),
        g_optimizer=Adam(1e-3, 0.5),
        steps_per_execution=PER_CALL,
    )
    stream = ring.stream(BATCH * updates, 0)
    rows[name] = []
    for _ in range(TIMES):
        method.fit(stream, steps_per_epoch=RING_STEPS // TIMES, verbose=0)
        rows[name].append(np.asarray(method.generator(latents)))
    found = [gaussian_modes(made, CENTERS, WIDTH) for made in rows[name]]
    counts = (f"{each['modes']} ({each['high_quality_fraction']:.0%})" for each in found)
    print(f"{name:12} modes of 8 over time, and points near one: {', '.join(counts)}")
titles = [f"step {RING_STEPS // TIMES * (time + 1):,}" for time in range(TIMES)]
shown = {name: [made[:500] for made in times] for name, times in rows.items()}
show(
    point_strips(shown, titles, ring.arrays()[:500]),
    "modes",
    "500 generated points at five times during training, and the data. Points outside a panel are"
    " counted in its corner.",
)

# %% [markdown]
# With a slow $D$, the cloud of generated points gathers and moves around, and the result depends on
# when training stops and on the seed: in five runs with different seeds, between 10% and 63% of the
# points were near a mode at the end, and between one and all eight modes were covered. With equal
# rates, it was 87% or 88% in both runs that we compared. So the first remedy is a discriminator
# that keeps up with the generator.
#
# What does this experiment show about R1 and the Wasserstein loss? *No* benefit: on this easy ring,
# the plain GAN with equal rates ends at least as well. With the Wasserstein loss, half of the
# points are near a mode after 300 generator steps, but each of these steps includes five updates of
# $D$, so this is not faster at an equal number of updates. The evidence for these remedies is in
# sections 1 and 3, which isolate the problems that these remedies solve: nonoverlapping densities
# and circling. On images, results are mixed. In our recipe `gan_objectives_fashion_mnist`, a
# gradient penalty reduces the kernel distance of the Wasserstein loss from 0.18 to 0.05, but R1
# does not improve the non-saturating loss (0.030, compared with 0.028 without a penalty). Each
# number is from one run.
#
# ## 6. The class, on images
#
# `GAN.for_images` builds the DCGAN networks (Radford et al. 2016). They are narrow here, and
# training is short, so the learning rates are higher than the paper's 0.0002. Here, the generator
# has the higher learning rate. This seems to contradict section 5, but there are two ways to fail.
# If $D$ is too weak, it points $G$ to places that it later rejects (section 5). If $D$ is nearly
# perfect, because the sets hardly overlap, its slope at generated images carries little information
# (section 1). On points in the plane, the first failure is more likely; on images, the second is.
# The printed accuracies of $D$ show how strong it is.

# %%
data = small_images("mnist", first=100 if QUICK else None)
print(data.warning or "the digits of MNIST")
model = GAN.for_images((28, 28, 1), latent_dim=32, filters=FILTERS)
model.compile(
    d_optimizer=Adam(5e-4, 0.5), g_optimizer=Adam(1e-3, 0.5), steps_per_execution=PER_CALL
)
stream = data.train.stream(32, 0)
half = IMAGE_STEPS // 2
history = model.fit(stream, steps_per_epoch=half, epochs=2, verbose=0).history
for name in ("d_loss", "g_loss", "real_accuracy", "fake_accuracy"):
    first, last = history[name]
    print(f"{name:14} first half {first:.2f}, second half {last:.2f}")
published = load("dcgan_fashion_mnist")
rows = [*np.split(model.sample(48, seed=1), 4), *np.split(published.sample(24, seed=1), 2)]
show(
    captioned(rows, [f"{IMAGE_STEPS} steps, narrow", "", "", "", "published DCGAN", ""]),
    "digits",
    f"Digits after {IMAGE_STEPS} steps of this chapter's narrow networks, and clothes from the "
    "published DCGAN, which has wider networks and was trained for far longer.",
)

# %% [markdown]
# The losses do not show how good the digits are: both players improve at the same time. So look at
# the samples. Many of them are *not* digits: 1,000 steps with narrow networks yield strokes of the
# right thickness, of which only some form a digit. The samples from the published DCGAN show what
# the same method achieves with wider networks and longer training. [Chapter
# 10](10_gans_that_draw.md) evaluates such samples with metrics. The first papers estimated a
# likelihood instead, with a **Parzen window**: a mixture of one narrow normal distribution around
# each sample. This estimate is not informative for images: in our runs, it ranks a Gaussian mixture
# above real digits. One more check is needed. Does the generator copy the training images? It was
# trained on 32,000 images, each used only once, so it is unlikely to have memorized an image. After
# long training, this check is more important: the training image nearest to a sample should differ
# from the sample. And when we interpolate between two latents, images should change gradually.

# %%
ends = model.draw_latents(8, seed=1)
between = model.interpolate(ends[:4], ends[4:], steps=10)
show(captioned(list(between)), "interpolations", "Four interpolations between pairs of latents.")

# %%
train_images = data.train.arrays()
made = model.sample(10, seed=2)
near, _ = model.nearest_neighbors(made, train_images, k=1)
show(
    captioned([made, near[:, 0]], ["samples", "nearest training images"]),
    "neighbors",
    "Samples and their nearest training images, by pixel distance.",
)

# %% [markdown]
# ### A game in slow motion
#
# Section 1 assumed the best $D$. How do both players move if neither is at its best? The data are
# $N(3, 0.5^2)$. The generator is $z \to a + b z$, so its density is known exactly: $N(a, b^2)$. It
# starts as $N(0, 1)$ and makes one update for every five updates of $D$.

# %%
mover = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
judge = mlp_encoder((1,), 1, (32, 32), "tanh", heads=("logits",))
optimizers = Adam(1e-2, 0.5), Adam(2e-2, 0.5)
for optimizer, network in zip(optimizers, (judge, mover), strict=True):
    optimizer.build(network.trainable_variables)


@tf.function
def judge_step(real, z):
    def loss():
        return Minimax().discriminator(judge(real)[:, 0], judge(mover(z))[:, 0])

    minimize(loss, optimizers[0], judge)


@tf.function
def mover_step(z):
    minimize(lambda: tf.nn.softplus(-judge(mover(z))[:, 0]), optimizers[1], mover)


moments = (0, 1, 2) if QUICK else (0, 30, 60, 100, 130, 150, 180, 220, 300)
line = np.linspace(-6, 8, 400)
before = 0
drawn = new_figure(10, 6.4)
panels = drawn.subplots(3, 3, sharex=True, sharey=True).ravel()
for axes, moment in zip(panels, moments, strict=False):
    for _ in range(moment - before):
        for _ in range(5):
            judge_step(draws(3, 0.5, 256), draws(0, 1, 256))
        mover_step(draws(0, 1, 256))
    before = moment
    b, a = (float(np.squeeze(weight)) for weight in mover.layers[0].get_weights())
    print(f"step {moment:3}: the generator is N({a:.2f}, {b:.2f}^2)")
    axes.fill_between(line, normal_density(line, 3, 0.5), alpha=0.5, color="#0072B2", label="p")
    axes.fill_between(
        line, normal_density(line, a, abs(b)), alpha=0.6, color="#E69F00", label="q"
    )
    scores = tf.sigmoid(judge(line[:, None].astype("float32")))[:, 0]
    axes.plot(line, scores, color="black", label="D")
    axes.set(title=f"step {moment}", ylim=(0, 1.2), xlim=(-6, 8))
panels[0].legend(loc="upper left")
show(
    drawn,
    "slow_motion",
    "The generator follows the slope of D to the data, and D ends near 1/2. Data p, generator q, and"
    " D(x), at nine steps.",
)

# %% [markdown]
# At step 0, $D$ is untrained. After a few steps, it separates the two densities. Its logit rises
# toward the data, so examples of the generator move to the right. With this network, examples that
# are closer to the data see a steeper slope (with the best $D$, it would be the reverse: at step 0,
# the slope of its logit is $12 - 3 x$), so $q$ becomes wider before it arrives. Then its left part,
# which $D$ rejects, is pulled in, and $q$ contracts to the width of $p$. At the end, $D$ cannot
# distinguish $p$ from $q$ and is flat at $1/2$ where there are examples. Far from all examples, its
# value is arbitrary.
#
# ## 7. Common claims, and what is true
#
# - **"A GAN minimizes the Jensen-Shannon divergence."** It does so only against the best
#   discriminator and with the minimax loss. In practice, $D$ lags a few steps behind, and the loss
#   is the non-saturating loss (question 2).
# - **"Training is finished when D outputs 1/2."** The best $D$ for equal densities outputs 1/2, but
#   so does a $D$ that is too weak to see a difference.
# - **"The loss of WGAN's critic is the Wasserstein distance."** Up to its sign, it would be the
#   distance for the best critic with slope at most 1. A trained critic with a penalty only gives an
#   estimate; the recipe `wgan_distances` measures its error.
# - **"R1 makes GANs converge."** Convergence is proven near an equilibrium, for small steps. The
#   proof does not imply anything about players far from an equilibrium.
#
# ## Questions
#
# **1.** In section 1, the loss ended well below $2 \log 2 = 1.386$. Where would it end if both
# densities were equal, and where would it end if they did not overlap at all?
#
# <details markdown="1"><summary>Answer</summary>
#
# It ends at $2 \log 2 - 2 \mathrm{JS}$. Equal densities have $\mathrm{JS} = 0$, so the loss is $2
# \log 2$: they cannot be distinguished. Densities that do not overlap have $\mathrm{JS} = \log 2$,
# so the loss falls toward 0, which no finite network reaches.
#
# </details>
#
# **2.** Let $D$ be the best discriminator for the current generator, and keep it fixed. If the
# generator's density $q$ changes slightly, the non-saturating loss changes as well. Which
# combination of divergences between $p$ and $q$ changes by the same amount?
#
# <details markdown="1"><summary>Answer</summary>
#
# Write $q_0$ for the current density, for which $D^*$ is best, and $m_0 = (p + q_0) / 2$. The loss
# is the mean over $q$ of $-\log D^* = \log (q_0 / p) - \log (q_0 / m_0) + \log 2$. At $q = q_0$,
# the first mean has the same slope as $\mathrm{KL}(q, p)$: in this divergence, the logarithm also
# changes, but this change contributes only the integral of the change in $q$, which is 0. In the
# same way, the second mean has the same slope as $2 \mathrm{JS} = \mathrm{KL}(p, m) +
# \mathrm{KL}(q, m)$: as $m$ changes by $\delta$, its logarithms change by the integral of $-(p + q)
# \delta / m = -2 \delta$, which is also 0. So the generator follows $\mathrm{KL}(q, p) - 2
# \mathrm{JS}(p, q)$ (Arjovsky and Bottou 2017). This KL divergence penalizes examples outside the
# data far more than missing modes.
#
# </details>
#
# **3.** Change the code: set `GAMMA = 2.0` in section 3. What happens to the path with R1, and why?
#
# <details markdown="1"><summary>Answer</summary>
#
# The path no longer circles, but moves slowly and directly toward the equilibrium. For $\gamma >
# 1$, the root $\sqrt{\gamma^2 - 1}$ is real, so nothing rotates. The slower eigenvalue is $-1 +
# \sqrt{3} / 2 = -0.13$, whereas $\gamma = 0.6$ has the real part $-0.3$: too much friction slows
# the game down.
#
# </details>
#
# **4.** With pen and paper: find $f^*$, the best $T$, and the bound of f-GAN for $f(u) = u \log u$
# and for $f(u) = u \log u - (u + 1) \log \frac{u + 1}{2}$. Which divergences are these?
#
# <details markdown="1"><summary>Answer</summary>
#
# The supremum of $u t - f(u)$ is at $f'(u) = t$. The first $f$ has $f'(u) = 1 + \log u$, so
# $u = e^{t - 1}$ and $f^*(t) = e^{t - 1}$. Since $\int q f(p / q) dx = \mathrm{KL}(p, q)$, the
# bound is $\mathrm{KL}(p, q) \ge E_p T - E_q e^{T - 1}$, with equality for $T = 1 + \log (p / q)$.
#
# The second $f$ has $f'(u) = \log \frac{2 u}{u + 1}$, so $u = e^t / (2 - e^t)$ and $f^*(t) = \log
# \frac{u + 1}{2} = -\log (2 - e^t)$. With $m = (p + q) / 2$, $\int q f(p / q) dx = \int p \log (p /
# q) - 2 m \log (m / q) dx = 2 \mathrm{JS}(p, q)$. The best $T$ is $\log \frac{2 p}{p + q} = \log 2
# D^*$. Inserting $T = \log 2 D$ gives $E_p \log D + E_q \log (1 - D) + 2 \log 2$: the game of
# section 1.
#
# </details>
#
# **5.** With pen and paper: show the easy half of the duality in section 5, that no function $D$
# with a slope of at most 1 gives more than the Wasserstein distance. Then let all data be 0 and all
# generated examples $\theta$. Find JS, the Wasserstein distance, and the best $D$ of both games.
#
# <details markdown="1"><summary>Answer</summary>
#
# A plan moves mass from $x$ to $y$, where $x$ has the density $p$ and $y$ has the density $q$. So
# $E_p D - E_q D$ is the mean of $D(x) - D(y)$, which is at most the mean of $|x - y|$, for every
# plan, and therefore for the shortest plan. So every critic with such slopes underestimates the
# distance, except for the best ones.
#
# For $\theta \ne 0$, the best discriminator is 1 at 0 and 0 at $\theta$, and
# $\mathrm{JS} = \log 2$, with slope 0. For $\theta = 0$, $\mathrm{JS} = 0$. The Wasserstein
# distance is $|\theta|$, and $D(x) = -x\, \mathrm{sign}(\theta)$ reaches it:
# $E_p D - E_q D = |\theta|$. Its slope tells the generator in which direction to move.
#
# </details>
#
# **6.** With pen and paper: for R1 with $\gamma < 1$ in section 3, for which step lengths $h$ does
# the game converge near the equilibrium if the players move *simultaneously*?
#
# <details markdown="1"><summary>Answer</summary>
#
# A simultaneous step has the eigenvalues $1 + h \lambda = 1 - \frac{h \gamma}{2} \pm \frac{i h}{2}
# \sqrt{1 - \gamma^2}$. Their squared modulus is $(1 - h \gamma / 2)^2 + h^2 (1 - \gamma^2) / 4 =
# 1 - h \gamma + h^2 / 4$, which is below 1 exactly for $h < 4 \gamma$. Without R1, no step length
# is short enough. With alternating steps, the squared modulus is $1 - h \gamma$, which is smaller.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | the game on a line | `GAN`, `InstanceNoiseGAN` | [gan_one_dimension](../../recipes/gan_one_dimension.py) | earth mover's distance 0.030; a fitted normal distribution 0.01761 | [Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661) |
# | the field of the game | `GAN`, `ConsensusGAN` | [gan_fields](../../recipes/gan_fields.py) | distance to the equilibrium at equal weights with R1 0.001548, with consensus 0.000009200 | [Mescheder et al. 2018](https://arxiv.org/abs/1801.04406) |
# | other divergences, with f-GAN | `GAN` | [f_gan_line](../../recipes/f_gan_line.py) | largest error 0.008759; moments of the data 0.7154 | [Nowozin et al. 2016](https://arxiv.org/abs/1606.00709) |
# | lost modes | `PacGAN`, `UnrolledGAN` | [gan_modes](../../recipes/gan_modes.py) | 24.0 modes of 25, paper 23.8; but only 0.1032 of the samples near a mode, paper 0.913 | [Lin et al. 2018](https://arxiv.org/abs/1712.04086) |
# | the critic as a distance | `WGAN`, `WGANGP` | [wgan_distances](../../recipes/wgan_distances.py) | relative error 0.051; exact distance of 50,000 samples 0.03566 | [Gulrajani et al. 2017](https://arxiv.org/abs/1704.00028) |
# | the original GAN on digits | `GAN` | [gan_mnist](../../recipes/gan_mnist.py) | Parzen estimate 161.0 nats, paper 225 | [Goodfellow et al. 2014](https://arxiv.org/abs/1406.2661) |
