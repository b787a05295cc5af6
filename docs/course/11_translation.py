# %% [markdown]
# # 11. Image-to-image translation
#
# A **translation** generates an image in one domain from an image in another: a photograph from a
# map, a painting from a photograph, or a large image from a small one. There are three types of
# data, each with its own difficulty:
#
# - **pairs** of a source and its known target. Often a source allows many targets, and a blurred
#   mixture of these targets minimizes a pixel distance;
# - **no pairs**, only two collections of images. Then nothing in the data shows which image in one
#   collection belongs to which image in the other;
# - **small and large images**, for which pairs cost nothing. In this case, two goals conflict: a
#   small error and a natural appearance. We derive how much they conflict for a single normally
#   distributed number and for posterior samples.
#
# After this chapter, you can state which outputs minimize squared and absolute losses, write the
# training steps of pix2pix and CycleGAN, prove that a cycle does not determine a mapping, and
# compute the price of a sharp image.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on less data and with fewer steps.

# %%
import os
import warnings

import keras
import numpy as np
import tensorflow as tf
from keras.layers import EinsumDense
from keras.optimizers import Adam
from sklearn.datasets import load_sample_images

import keras_gen
from keras_gen import Pix2Pix
from keras_gen.core import GenerativeModel, Player
from keras_gen.core.kinds_of_data import Images, Vectors
from keras_gen.data import Source, small_images
from keras_gen.networks import patch_discriminator, unet_generator
from keras_gen.workshop.visualize import captioned, new_figure, show

QUICK = bool(os.environ.get("QUICK"))
DIGITS = 100 if QUICK else 6_000  # maximum number of training digits
PAIR_STEPS = 1 if QUICK else 250  # for each model of pairs
FILTERS = 2 if QUICK else 12  # of their networks
EACH = 2 if QUICK else 6  # games of each type on points
GAME_STEPS = 1 if QUICK else 1000  # for all games on points
PER_CALL = 1 if QUICK else 50  # steps per TensorFlow call
SIDE = 32 if QUICK else 256  # for the photographs
DRAWS = 1_000 if QUICK else 200_000  # samples of normal numbers

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
warnings.filterwarnings("ignore", message=".*does not contain the weights of discriminator")

# %% [markdown]
# ## 1. Pairs: what a distance rewards
#
# Let $x$ be a source and $y$ its target, both images, and $y_i$ the level of pixel $i$ in $y$. If
# $x$ does not determine $y$, then $y_i$ has a distribution for each $x$. A network outputs one
# number $a$ per pixel. Which $a$ is best?
#
# - **Squared loss** $E[(y_i - a)^2 \mid x]$: its derivative with respect to $a$ is $2 (a - E[y_i
#   \mid x])$, which is 0 at the **mean** of the targets.
# - **Absolute loss** $E[|y_i - a| \mid x]$: if $a$ increases slightly, the loss increases by the
#   same amount for every target below $a$, and decreases by this amount for every target above $a$.
#   So the derivative is $P(y_i < a \mid x) - P(y_i > a \mid x)$, which changes its sign at the
#   **median**.
#
# Both losses choose each pixel separately, so neither result has to be an image that occurs in the
# data.
#
# Here is an example with computable answers. The source $x$ is a black-and-white digit. The target
# $y$ is the same digit on a striped background: of every four rows, one row has level 160, and
# three rows have level 0. Which row is bright differs from image to image, and $x$ does not
# determine which row is bright. So each background pixel is 160 with probability $1/4$. Its mean is
# 40, and its median is 0.

# %%
data = small_images("mnist", first=DIGITS)
print(data.warning or "the digits of MNIST")
digits = data.train.take(DIGITS).arrays()
tested = data.test.take(DIGITS // 10).arrays()
BRIGHT = 160


def sources(images):
    return np.where(images > 127, 255, 0).astype("uint8")


def targets(images, phases):
    """Returns digits on stripes; `phases` `[n]` selects the bright one of four rows."""
    rows = np.arange(images.shape[1])
    stripes = BRIGHT * ((rows + phases[:, None]) % 4 == 0)[:, :, None, None]
    return np.where(images > 127, 255, stripes).astype("uint8")


x, y = sources(digits), targets(digits, random.integers(4, size=len(digits)))
test_x = sources(tested)
test_y = targets(tested, random.integers(4, size=len(tested)))
ground = np.broadcast_to(test_x == 0, test_y.shape)
pairs = Source((x, y))


def generator():
    """Returns a U-Net between images in [-1, 1], `[batch, 28, 28, 1]`."""
    return unet_generator((28, 28, 1), filters=FILTERS, noise="none")


def adam(rate=1e-3):
    return Adam(rate, beta_1=0.5)


fast = {"steps_per_execution": PER_CALL, "run_eagerly": QUICK}
answers = {}


def answer(name, network):
    """Stores a network's outputs for the test digits and prints their statistics."""
    made = Images((28, 28, 1)).restore(network(test_x / 127.5 - 1)).numpy()
    answers[name] = made
    report(name, made)


def report(name, made):
    levels = made[ground].astype(float)
    error = levels - test_y[ground]
    print(
        f"{name:26} {np.mean(error**2):8.0f} {np.mean(abs(error)):10.1f}"
        f" {levels.mean():8.1f} {levels.std():11.1f}"
    )


print(f"{'on the ground':26} {'squared':>8} {'absolute':>10} {'mean':>8} {'deviation':>11}")
report("another target of x", targets(tested, random.integers(4, size=len(tested))))
report("the mean, 40", np.where(ground, 40, test_y))
report("the median, 0", np.where(ground, 0, test_y))

squared = generator()
squared.compile(Adam(2e-3), "mse", **fast)
squared.fit(x / 127.5 - 1, y / 127.5 - 1, 16, steps_per_epoch=PAIR_STEPS, verbose=0)
answer("trained, squared loss", squared)
absolute = Pix2Pix(generator(), discriminator=None, l1_weight=1.0)
absolute.compile(g_optimizer=Adam(2e-3), **fast)
absolute.fit(pairs.stream(16, 0), steps_per_epoch=PAIR_STEPS, verbose=0)
answer("trained, absolute loss", absolute.generator)

# %% [markdown]
# Here, "squared" and "absolute" are the two losses over the background pixels, in levels from 0 to
# 255, and the last two columns describe the outputs. Trained networks come close to the theory: the
# squared loss yields a gray level of 40, and the absolute loss omits the stripes. The losses of
# both networks are close to the minimum. In both cases, the standard deviation of the levels is far
# below the targets' 69, so no background looks like a target. And another *true* target of the same
# $x$ has twice the squared error of the mean, and one and a half times the absolute error of the
# median. Section 5 derives the factor 2.
#
# ## 2. A loss that is learned
#
# So let a discriminator $D$ learn which images occur in the data ([chapter 9](09_gans.md)). In
# pix2pix (Isola et al. 2017), it sees the source *in addition to* the image. With $G$ for the
# generator, equation (1) of the paper is the game of chapter 9 over **pairs**:
#
# $$V(D, G) = E[\log D(x, y)] + E[\log (1 - D(x, G(x)))].$$
#
# For the best $D$, this is $-2 \log 2 + 2\,\mathrm{JS}$ of two *joint* distributions, $p(x) p(y
# \mid x)$ and $p(x) q(y \mid x)$, where $q$ is the distribution of $G$'s outputs. The minimum is
# reached only if $q(y \mid x) = p(y \mid x)$ for (almost) all $x$. A discriminator that sees only
# $y$, as in equation (2), compares $p(y)$ with $q(y)$. Their divergence is 0 even if $G$ translates
# every $x$ to a correct image for *another* $x$. So the output is tied to the source only because
# $D$ sees the source. Equation (4) adds an absolute loss with a weight $\lambda$. In practice, and
# in our code, $G$ minimizes $-\log D$ instead of $\log (1 - D)$ (chapter 9):
#
# $$E[-\log D(x, G(x))] + \lambda E[\,|y - G(x)|\,].$$
#
# Here, $|\cdot|$ is the *mean* of an image's absolute values, with pixels in $[-1, 1]$; in section
# 5, $|\cdot|^2$ is a sum of squares.
#
# **PatchGAN.** $D$ returns a map of logits `[batch, h, w, 1]`, each of which depends on only one
# patch of the source and the image. The loss is the mean over the map. To the extent that $D$ does
# not know the position of a patch, the game compares the distributions of all real and generated
# patches. So $D$ evaluates texture (here, stripes), and cannot detect whether distant patches fit
# together. The absolute loss has to ensure this. The paper uses patches of 70x70 pixels in 256x256
# images; we use patches of 16x16 pixels in 28x28 images.
#
# The following class implements this step.


# %%
def mean(values):
    """Returns the mean over pixels and channels, `[batch]`."""
    return tf.reduce_mean(values, axis=[1, 2, 3])


class PlainPix2Pix(GenerativeModel):
    """The discriminator maps source and image, as two channels, to a map of logits."""

    batch = ("x", "y")
    totals = ("g_loss", "d_loss")

    def __init__(self, generator, discriminator, weight, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.discriminator, self.weight = generator, discriminator, weight
        self.edges["x"] = Images((28, 28, 1))
        self.edges["y"] = Images((28, 28, 1), name="targets")

    def players(self):
        return {
            "g_optimizer": Player([self.generator]),
            "d_optimizer": Player([self.discriminator]),
        }

    def train_step(self, data):
        batch = self.prepare_batch(data)
        x, y = batch["x"], batch["y"]

        def logits(images):
            return self.discriminator(tf.concat([x, images], axis=-1), training=True)

        def generator_loss():
            made = self.generator(x, training=True)
            fooled = mean(tf.nn.softplus(-logits(made)))  # -log D(x, G(x))
            return fooled + self.weight * mean(abs(y - made)), made

        g_loss, made = self.minimize(generator_loss, "g_optimizer")

        def discriminator_loss():
            return mean(tf.nn.softplus(-logits(y)) + tf.nn.softplus(logits(made)))

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(g_loss=g_loss, d_loss=d_loss)


def judge():
    return patch_discriminator((28, 28, 2), FILTERS, strided_layers=1)


print(f"{'on the ground':26} {'squared':>8} {'absolute':>10} {'mean':>8} {'deviation':>11}")
plain = PlainPix2Pix(generator(), judge(), weight=10.0)
plain.compile(g_optimizer=adam(), d_optimizer=adam(), **fast)
plain.fit(pairs.stream(16, 0), steps_per_epoch=PAIR_STEPS, verbose=0)
answer("PlainPix2Pix, weight 10", plain.generator)
for weight in (0.0,) if QUICK else (0.0, 100.0):
    model = Pix2Pix(generator(), judge(), l1_weight=weight)
    model.compile(g_optimizer=adam(), d_optimizer=adam(), **fast)
    model.fit(pairs.stream(16, 0), steps_per_epoch=PAIR_STEPS, verbose=0)
    answer(f"Pix2Pix, weight {weight:g}", model.generator)

places = np.arange(28)
for name in ("PlainPix2Pix, weight 10", "Pix2Pix, weight 0"):
    rows = np.where(ground, answers[name], 0).sum(axis=(2, 3))  # light in each row
    of_phase = np.stack([rows[:, (places + phase) % 4 == 0].sum(axis=1) for phase in range(4)])
    counts = np.bincount(of_phase.argmax(axis=0), minlength=4)
    print(f"{name:26} brightest of four rows, number of images: {counts}")
show(
    captioned([test_x[:10], test_y[:10], *(made[:10] for made in answers.values())],
              ["source x", "target y", *answers]),
    "stripes",
    "Test digits, a target of each, and the outputs of five networks.",
)  # fmt: skip

# %% [markdown]
# With weights of 10 and 0, there are stripes, whose mean and standard deviation are close to the
# targets' 40 and 69. Both errors are close to the errors of another target: twice the minimum
# squared error and one and a half times the minimum absolute error. So the squared distance ranks
# these two networks last, and the absolute distance puts them 50 to 60 percent above the minimum.
# Yet only these two networks generate stripes at all; the stripes for weight 0 are broken. With a
# weight of 100, which the paper uses for its images, the background is nearly the same as with the
# absolute loss alone.
#
# But look at the stripes again: in *all* 600 test images, the same row is bright. The data contain
# four targets for each $x$, and each run found only one of them. Without noise, $G$ can generate
# only one target for each $x$, so it cannot reach $q(y \mid x) = p(y \mid x)$. $G$ could at least
# choose different rows for different $x$, but it did not.
#
# **The effect of the absolute loss on the game.** Take one pixel with two possible values that, for
# a given $x$, is bright with probability $p = 0.3$. Suppose that $G$ makes it bright with
# probability $q$. With the game's loss $\log (1 - D)$ and the best $D$, $G$ minimizes, up to a
# constant, $2\,\mathrm{JS}(p, q) + \lambda (q (1 - p) + (1 - q) p)$. The first term is minimal at
# $q = p$. The second term is linear in $q$ with slope $1 - 2p > 0$, so it pulls $q$ toward 0, the
# median. We compute the best $q$ on a grid.

# %%
p, q = 0.3, np.linspace(1e-6, 1 - 1e-6, 100_001)


def twice_js(p, q):
    """Returns 2 JS of two binary answers with probabilities p and q."""
    total = 0.0
    for a, b in ((p, q), (1 - p, 1 - q)):
        m = (a + b) / 2
        total = total + a * np.log(a / m) + b * np.log(b / m)
    return total


drawn = new_figure(8, 4)
axes = drawn.subplots()
for weight in (0.0, 0.3, 1.0, 3.0):
    loss = twice_js(p, q) + weight * (q * (1 - p) + (1 - q) * p)
    print(f"weight {weight:3}   best q {q[loss.argmin()]:.3f}")
    line = axes.plot(q, loss - loss.min(), label=f"weight {weight:g}")[0]
    axes.plot(q[loss.argmin()], 0, "o", color=line.get_color(), clip_on=False)
axes.axvline(p, color="gray", linestyle="--", label="p of the data")
axes.set(xlabel="q, how often G answers bright", ylabel="loss of G above its least value, nats")
axes.set(xlim=(0, 1), ylim=(0, 0.6))
axes.legend()
show(
    drawn,
    "absolute_weight",
    "The loss of G for four weights of the absolute loss. Dots mark the minima.",
)

# %% [markdown]
# So the absolute loss does not help $G$ match the distribution of the data: it moves the best $q$
# toward the median. With a weight of 3, the pixel is bright in 6% of the outputs, compared with 30%
# of the targets. (The fraction never becomes 0, because the slope of the JS divergence at $q = 0$
# is minus infinity.) In return, the absolute loss gives a direction from the first step on, when
# $D$ has not learned anything yet, and evaluates the arrangement of patches, which $D$ cannot
# detect. So the absolute loss is a compromise. The authors found that their generators ignored the
# noise in their input. Our computation offers one reason: varied outputs increase the absolute
# loss.
#
# ## 3. No pairs: CycleGAN
#
# Now there are two collections, images from $X$ with density $p_X$ and images from $Y$ with density
# $p_Y$. CycleGAN (Zhu et al. 2017) trains $G: X \to Y$ and $F: Y \to X$ with a discriminator for
# each domain, so that $G(x)$ looks like an image from $Y$, and $F(y)$ looks like an image from $X$.
# With these losses alone, $G$ and $F$ need not be related to each other, so both are tied by the
# **cycle loss**, equation (2) of the paper:
#
# $$E_{x}[\,|F(G(x)) - x|\,] + E_{y}[\,|G(F(y)) - y|\,].$$
#
# ![Two cycles. An image x passes through G and then F, and the cycle loss compares the result with x. An image y passes through F and then G. The discriminator of each domain receives the translations and the real images of this domain.](diagrams/11_cyclegan.svg)
#
# *CycleGAN. Both boxes named G are the same network, and so are both boxes named F.*
#
# It is often claimed that the cycle makes the translation preserve the content, or makes it unique.
# By itself, it does neither. **Proof.** Take any $G$ and $F = G^{-1}$ such that $G(x)$ has exactly
# the density $p_Y$. Take any invertible $s: Y \to Y$ that **preserves** $p_Y$: if $y$ is
# distributed as $p_Y$, so is $s(y)$. Let
#
# $$G'(x) = s(G(x)), \qquad F'(y) = F(s^{-1}(y)).$$
#
# Then $G'(x)$ has the density $p_Y$, and $F'(y)$ the density $p_X$, because $s^{-1}$ also preserves
# $p_Y$. And $F'(G'(x)) = F(s^{-1}(s(G(x)))) = x$, and likewise $G'(F'(y)) = y$. So the cycle loss
# is 0, and discriminators, however good, receive the same distributions. So all of these losses are
# equal for $(G, F)$ and $(G', F')$. $\square$
#
# There are many such maps $s$: a rotation of a normal distribution with equal variances, a swap of
# two equally frequent classes with a map between their distributions, or mirroring if mirrored
# images are equally frequent. So if the losses allow $G$, they also allow $s \circ G$ for every
# such $s$. The choice among them depends on the networks, their initial weights, and the path of
# training.
#
# We test this with five classes, each a small cloud on a ring. The clouds of $Y$ are the clouds of
# $X$, rotated by some degrees, and this rotation is the *intended* mapping. Labels are not used in
# training. All $5! = 120$ ways to map clouds to clouds can have a cycle loss of 0 and generate the
# correct distributions. If one of them were chosen at random, each class would be preserved with
# probability $1/5$.
#
# A game with two numbers is tiny, so we train 24 games at once. `EinsumDense` gives each game its
# own weights: `"bsi,sio->bso"` has the batch b, the game s, and inputs i and outputs o. There are
# four types:
#
# - without a cycle loss, rotated by 50°;
# - with a cycle loss of weight 10, rotated by 50°;
# - with the same cycle loss and generators that start near the identity, $G(x) = x + 0.1 g(x)$,
#   rotated by 20°;
# - the same setting, rotated by 50°. The nearest cloud of $Y$ is then the *wrong* cloud: the cloud
#   of the previous class, 22° away.

# %%
CLASSES = 5
WIDTH = 0.08  # standard deviation of a cloud
kinds = {  # degrees, cycle weight, whether G and F start near the identity
    "no cycle, 50°": (50, 0.0, False),
    "cycle, 50°": (50, 10.0, False),
    "cycle, near identity, 20°": (20, 10.0, True),
    "cycle, near identity, 50°": (50, 10.0, True),
}
turns, weights, near = (np.repeat(column, EACH) for column in zip(*kinds.values(), strict=True))
GAMES = len(turns)


def cloud_centers(turn):
    angles = 2 * np.pi * np.arange(CLASSES) / CLASSES + np.radians(turn)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def draw_clouds(centers, number):
    """Samples points `[n, games, 2]` and classes `[n, games]` around centers."""
    classes = random.integers(CLASSES, size=(number, GAMES))
    noise = WIDTH * random.normal(size=(number, GAMES, 2))
    return (centers[np.arange(GAMES), classes] + noise).astype("float32"), classes


def layers_of(points, outputs):
    start = keras.initializers.VarianceScaling(GAMES, "fan_avg", "uniform")  # Glorot's, per game
    for units, activation in ((48, "relu"), (48, "relu"), (outputs, None)):
        shape = (GAMES, units)
        dense = EinsumDense(
            "bsi,sio->bso", shape, activation, bias_axes="so", kernel_initializer=start
        )
        points = dense(points)
    return points


def point_generator():
    points = keras.Input((GAMES, 2))
    own = keras.ops.convert_to_tensor(near[:, None].astype("float32"))
    return keras.Model(points, own * points + (1 - 0.9 * own) * layers_of(points, 2))


def point_discriminator():
    points = keras.Input((GAMES, 2))
    return keras.Model(points, layers_of(points, 1))


class PlainCycleGAN(GenerativeModel):
    """Many games in parallel: networks accept points `[batch, games, 2]`."""

    batch = ("x", "y")
    totals = ("g_loss", "d_loss")

    def __init__(self, G, F, D_X, D_Y, weights, **kwargs):
        super().__init__(**kwargs)
        self.G, self.F, self.D_X, self.D_Y = G, F, D_X, D_Y
        self.weights_of_cycles = tf.constant(weights, "float32")
        self.edges["x"] = self.edges["y"] = Vectors((GAMES, 2))

    def players(self):
        return {
            "g_optimizer": Player([self.G, self.F]),
            "d_optimizer": Player([self.D_X, self.D_Y]),
        }

    def train_step(self, data):
        batch = self.prepare_batch(data)
        x, y = batch["x"], batch["y"]
        softplus = tf.nn.softplus

        def generator_loss():
            fake_y, fake_x = self.G(x), self.F(y)
            fooled = softplus(-self.D_Y(fake_y)) + softplus(-self.D_X(fake_x))
            cycle = abs(self.F(fake_y) - x) + abs(self.G(fake_x) - y)  # eq. (2)
            losses = fooled[..., 0] + self.weights_of_cycles * tf.reduce_mean(cycle, axis=-1)
            return tf.reduce_sum(losses, axis=1), fake_x, fake_y  # a sum over games

        g_loss, fake_x, fake_y = self.minimize(generator_loss, "g_optimizer")

        def discriminator_loss():
            of_x = softplus(-self.D_X(x)) + softplus(self.D_X(fake_x))
            of_y = softplus(-self.D_Y(y)) + softplus(self.D_Y(fake_y))
            return tf.reduce_sum(of_x + of_y, axis=[1, 2])

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(g_loss=g_loss, d_loss=d_loss)


centers_x = np.stack([cloud_centers(0)] * GAMES)
centers_y = np.stack([cloud_centers(turn) for turn in turns])
networks = point_generator(), point_generator(), point_discriminator(), point_discriminator()
games = PlainCycleGAN(*networks, weights)
games.compile(g_optimizer=adam(), d_optimizer=adam(), **fast)
clouds = Source((draw_clouds(centers_x, 20_000)[0], draw_clouds(centers_y, 20_000)[0]))
games.fit(clouds.stream(128, 0), steps_per_epoch=GAME_STEPS, verbose=0)

points, classes = draw_clouds(centers_x, 1_000)
made = np.asarray(games.G(points))
back = np.asarray(games.F(made))
found = np.linalg.norm(made[:, :, None] - centers_y, axis=-1).argmin(axis=-1)  # nearest cloud
distance = np.linalg.norm(made[:, :, None] - centers_y, axis=-1).min(axis=-1)
print(
    f"{'':27} {'kept':>5} {'on a cloud':>11} {'cycle':>7}   class 0 1 2 3 4 goes to, game by game"
)
for number, name in enumerate(kinds):
    own = slice(number * EACH, (number + 1) * EACH)
    assigned = []
    for game in range(own.start, own.stop):
        ends = [found[classes[:, game] == label, game] for label in range(CLASSES)]
        assigned.append("".join(str(np.bincount(end).argmax()) for end in ends))
    print(
        f"{name:27} {np.mean(found[:, own] == classes[:, own]):5.2f}"
        f" {np.mean(distance[:, own] < 3 * WIDTH):11.2f}"
        f" {np.mean(abs(back - points)[:, own]):7.3f}   {' '.join(assigned)}"
    )

# %%
shown = [
    ("X, colored by class", points[:, 0], 0),
    ("Y as meant, turned by 50°", draw_clouds(centers_y, 1_000), 0),
    ("no cycle, game 0", made[:, 0], 0),
    ("no cycle, game 1", made[:, 1], 1),
    ("cycle, game 0", made[:, EACH], EACH),
    ("cycle, game 1", made[:, EACH + 1], EACH + 1),
    ("near identity, 20°", made[:, 2 * EACH], 2 * EACH),
    ("near identity, 50°", made[:, 3 * EACH], 3 * EACH),
]
drawn = new_figure(11, 5.8)
for axes, (title, xy, game) in zip(drawn.subplots(2, 4).ravel(), shown, strict=True):
    labels = classes[:, game]
    if isinstance(xy, tuple):
        xy, labels = xy[0][:, 0], xy[1][:, 0]
    for label in range(CLASSES):
        axes.scatter(*xy[labels == label].T, s=3, label=str(label))
    for label, (a, b) in enumerate(cloud_centers(0 if title[0] == "X" else turns[game])):
        axes.text(1.65 * a, 1.65 * b, str(label), ha="center", va="center", fontsize=12)
    axes.set(title=title, xlim=(-2, 2), ylim=(-2, 2), aspect="equal")
    axes.set(xticks=[], yticks=[])
show(
    drawn,
    "assignments",
    "X, and the points that G makes of it in six games. Colors are the classes of X, and digits"
    " mark the intended clouds.",
)

# %% [markdown]
# With the cycle loss, more than nine of ten points end on a cloud, $F$ recovers $x$ up to about
# 0.03, and in most games, each class is mapped to its own cloud. So the losses are low. But the
# games end in *different* assignments, and the points on the intended cloud are no more than a
# random permutation gives on average, 0.20. So there is no sign that the cycle preserves classes.
# The cycle does exactly what its loss requires: points are recovered. In the picture, the clouds
# also keep their width; without the cycle loss, they shrink to strokes.
#
# Near the identity, all six games agree. Rotated by 20°, all classes are preserved; rotated by 50°,
# *none* is preserved, because the nearest cloud is the wrong cloud. The losses are equally good in
# both cases. So agreement between runs does not show that the mapping is correct: the runs share a
# preference. Convolutional networks may prefer to leave shapes in place, which we did not test.
# Such a preference would suit photographs and paintings, but it does not follow from the cycle
# loss.
#
# CycleGAN has one more term, for similar domains: the **identity loss** $|G(y) - y|$ (sec. 5.2),
# which encourages $G$ to leave images that are already in $Y$ unchanged. This loss may exclude some
# of the maps $s$, again through an assumption about the intended mapping.
#
# ### Cycles that hide
#
# $F$ recovers $x$ from $G(x)$, so $G(x)$ contains all of $x$. But not all of $x$ has to be
# *visible*. Let $x$ be two independent normal numbers with standard deviation 1, and let $y$ have
# the standard deviations 1 and 0.01: the second number of $y$ is invisible grain. $G(x) = (x_1,
# 0.01 x_2)$ and $F(y) = (y_1, 100 y_2)$ have a cycle loss of 0 and generate the correct
# distributions. Half of $x$ is hidden in the grain. An error of 0.01 in $y_2$ is multiplied by 100.
# Chu, Zhmoginov, Sandler (2017) found a CycleGAN that hides photographs in maps in this way. To
# test for hidden information, add a little noise to $G(x)$ and check whether $F$ still recovers
# $x$.
#
# We test the published CycleGAN of the recipe `cyclegan_monet` on two photographs.

# %%
painter = keras_gen.load("cyclegan_monet")
squares = [image[:400, 100:500] for image in load_sample_images().images]
photos = tf.image.resize(np.stack(squares), [SIDE, SIDE], antialias=True)
photos = tf.cast(tf.round(photos), tf.uint8).numpy()
paintings = painter.translate(photos, "photo_to_monet")
backs = painter.translate(paintings, "monet_to_photo")


def levels_apart(a, b):
    return np.mean(abs(a.astype(float) - b))


print(f"a painting is {levels_apart(paintings, photos):.1f} levels from its photograph, and")
print(f"the photograph found again {levels_apart(backs, photos):.1f} levels")
for deviation in (8,) if QUICK else (2, 8):
    noisy = paintings + deviation * random.normal(size=paintings.shape)
    noisy = np.clip(np.round(noisy), 0, 255).astype("uint8")
    noisy_backs = painter.translate(noisy, "monet_to_photo")
    print(
        f"noise moves paintings by {levels_apart(noisy, paintings):.1f} levels: what F makes moves by"
        f" {levels_apart(noisy_backs, backs):.1f}, and is {levels_apart(noisy_backs, photos):.1f}"
        " from the photograph"
    )
columns = ["photograph x", "G(x)", "F(G(x))", "F(G(x) + noise)"]
rows = [np.stack(row) for row in zip(photos, paintings, backs, noisy_backs, strict=True)]
show(
    captioned(rows, column_names=columns, width=880),
    "painter",
    "Two photographs, their paintings, and the photographs found again, from the paintings and from"
    " the paintings with noise of standard deviation 8.",
)

# %% [markdown]
# Noise of 6.4 levels changes the outputs of $F$ by 1.5 levels, so $F$ dampens the noise. With
# noise, the error of the recovered photograph is almost the same as without: 11.9 levels, compared
# with 11.8. So for these two photographs, $F$ does not need any grain that such noise destroys. Two
# images cannot prove more, and information may still be hidden in coarser structures. Nor does the
# cycle preserve everything: the red columns of the pagoda come back brown. (The picture is stored
# with few colors, so shades cannot be judged from it.)
#
# ## 4. Shared latents: UNIT and CoGAN
#
# UNIT (Liu, Breuel, Kautz 2017) assumes that corresponding images in the two domains have the same
# latents $z$. Each domain has an encoder and a generator, as in a VAE: $E_X, G_X$ and $E_Y, G_Y$.
# An encoder returns the mean of a normal $q(z \mid x)$ with standard deviation 1, and the prior is
# standard normal. The translation is $G_Y(z)$ with $z$ from $E_X(x)$. The loss sums the negative
# bounds of both VAEs (reconstruction and divergence), two adversarial losses, and, for the cycles
# $x \to y \to x$ and $y \to x \to y$, the reconstruction of the original image and the divergence
# of the intermediate latents. The code below omits the adversarial losses.
#
# Does this assumption determine a mapping? Let $R$ be a rotation of the latents. Let $E_Y'(y) = R
# E_Y(y)$ and $G_Y'(z) = G_Y(R^{-1} z)$, and leave $X$ unchanged. The divergence of $q$ depends on
# the *length* of its mean, which $R$ preserves, and the noise of $q$ is the same in all directions.
# $G_Y'$ undoes $R$ in reconstructions. A translation uses $R^{-1} z$ with $z$ from the other
# domain, so for its discriminator, we need one more condition: in each domain, the distribution of
# the latents of all images is preserved by $R$, such as a normal distribution with mean 0 and equal
# variances. And the cycles encode generated images, so $E_Y \circ G_Y$ and $E_X \circ G_X$ must
# commute with $R$, as they do where they return $z$ up to a factor. Then all terms are equal, but
# the translation is different. We check this with a linear model in which both domains are standard
# normal in the plane.

# %%
quarter = np.array([[0.0, -1.0], [1.0, 0.0]])  # a rotation by 90°
draws_x, draws_y = random.normal(size=(2, DRAWS, 2))


def unit_terms(R, a=0.8):
    """Returns UNIT's terms for E_X(x) = a x, G_X(z) = a z, and likewise Y with R."""

    def encode(points, turned):
        codes = a * points @ turned.T
        return codes, codes + random.normal(size=codes.shape)

    plain = np.eye(2)
    mean_x, z_x = encode(draws_x, plain)
    mean_y, z_y = encode(draws_y, R)
    fake_y, fake_x = a * z_x @ R, a * z_y
    mean_fake_y, z_fake_y = encode(fake_y, R)
    mean_fake_x, z_fake_x = encode(fake_x, plain)
    kl = 0.5 * sum(np.mean(m**2) for m in (mean_x, mean_y))
    cycle_kl = kl + 0.5 * sum(np.mean(m**2) for m in (mean_fake_x, mean_fake_y))
    same = np.mean(abs(a * z_x - draws_x)) + np.mean(abs(a * z_y @ R - draws_y))
    cycle = np.mean(abs(a * z_fake_y - draws_x)) + np.mean(abs(a * z_fake_x @ R - draws_y))
    angle = np.degrees(np.arctan2(*(a * a * np.array([1.0, 0.0]) @ R)[::-1]))
    return kl, same, cycle_kl, cycle, fake_y.std(), angle


print("           kl  reconstruction  cycle_kl   cycle  deviation of fakes  turns by")
for name, R in (("R = 1", np.eye(2)), ("R = 90°", quarter)):
    kl, same, cycle_kl, cycle, deviation, angle = unit_terms(R)
    print(
        f"{name:8} {kl:.3f} {same:15.3f} {cycle_kl:9.3f} {cycle:7.3f} {deviation:19.3f}"
        f" {angle:8.0f}°"
    )

# %% [markdown]
# The terms of the loss agree up to sampling noise, but the translations differ by a rotation of
# 90°. So the *losses* do not determine the mapping here either. In UNIT, **shared weights**
# determine it: both encoders share their last layers, and both generators share their first layers.
# $R$ would have to be computed by the few layers specific to $Y$. If these layers can only recolor
# or redraw edges, they cannot turn a 3 into a 7. So the assumption is built into the architecture,
# and it is valid only if the architecture suits the domains.
#
# CoGAN (Liu, Tuzel 2016) shares weights without any encoder: two generators with the same first
# layers generate a pair of images from one $z$. Its losses do not tie the two images of a pair to
# each other. The recipe `co_gan_mnist` measures how often both images have the same class: 0.9314
# for digits and negatives, and 0.5598 for digits and edges, compared with about 0.11 for images
# from different pairs.
#
# ## 5. What a sharp image costs
#
# In **super-resolution**, $s$ is a small image, and $x$ is the large image from which it was made.
# Pairs cost nothing, and many large images are consistent with each small image. From here on,
# $\hat x$ is an estimate computed from $s$ alone.
#
# **The mean does not look like the data.** Let $m(s) = E[x \mid s]$, which minimizes the squared
# loss, and write MMSE for its error $E|x - m(s)|^2$. By the law of total variance, summed over all
# pixels,
#
# $$\mathrm{Var}(x) = \mathrm{Var}(m(s)) + E[\mathrm{Var}(x \mid s)] = \mathrm{Var}(m(s)) + \mathrm{MMSE}.$$
#
# So if $s$ does not determine $x$, the variance of the mean is too small, and the difference is
# exactly the error of the mean.
#
# **A posterior sample costs a factor of 2.** Sample $\hat x$ from the posterior $p(x \mid s)$. Then
# $(\hat x, s)$ has the same distribution as $(x, s)$, so $\hat x$ looks like the data. Given $s$,
# both $x$ and $\hat x$ are independent samples around $m(s)$, so
#
# $$E|x - \hat x|^2 = E|x - m(s)|^2 + E|\hat x - m(s)|^2 = 2\,\mathrm{MMSE}.$$
#
# The cross term is 0 because the samples are independent. We did not assume a normal distribution.
# The PSNR in decibels is $-10 \log_{10}$ of the mean squared error if white is 1, so the cost is
# $10 \log_{10} 2 = 3.01$ dB.
#
# **In between.** Let $x$ be normal with mean 0 and variance 1, and $s = x + n$ with normal noise
# $n$ with variance $v$, independent of $x$. Then $m(s) = s / (1 + v)$, with variance $1 / (1 + v)$
# and MMSE $v / (1 + v)$. Consider estimates $\hat x = k\, m(s)$, with a factor $k$. The error is
# $\mathrm{MMSE} + E(\hat x - m(s))^2$, because $x - m(s)$ is uncorrelated with every estimate
# computed from $s$. If the estimate has the standard deviation $d$, then $k$ times the standard
# deviation $d_0 = 1 / \sqrt{1 + v}$ is $d$, and so
#
# $$E(x - \hat x)^2 = \mathrm{MMSE} + (d - d_0)^2.$$
#
# This is the minimum error over all estimates with mean 0 and standard deviation $d$: with $c$ for
# their covariance, $E(\hat x - m(s))^2 = d^2 + d_0^2 - 2c$, and $c$ is at most $d d_0$ by
# Cauchy–Schwarz. How far are the estimates from the data? The 2-Wasserstein distance between two
# normal distributions with mean 0 is the difference between their standard deviations, here $1 -
# d$. By Cauchy–Schwarz again, any estimate with standard deviation $d'$ has at least the distance
# $|1 - d'|$, and a nonzero mean only increases the distance and the error. So any other estimate at
# this distance has $d' \ge d$, and its error is not smaller. Therefore, the minimum error as a
# function of the distance, from 0 to $1 - d_0$, is a parabola: the **perception-distortion
# tradeoff** of Blau and Michaeli (2018) in its simplest case. They prove for much more general
# distributions and distances that the minimum distance does not increase with the allowed error,
# and that an error of 2 MMSE suffices for a distance of 0.

# %%
v = 1.0  # variance of the noise
normal_x = random.normal(size=DRAWS)
s = normal_x + np.sqrt(v) * random.normal(size=DRAWS)
m = s / (1 + v)
d0 = 1 / np.sqrt(1 + v)
mmse = v / (1 + v)
made_by = {
    "mean of the posterior": m,
    "its half-way stretch": m * (1 + d0) / 2 / d0,
    "stretched to deviation 1": m / d0,
    "draw from the posterior": m + np.sqrt(mmse) * random.normal(size=DRAWS),
    "the observation s": s,
}
drawn = new_figure(8, 4.4)
axes = drawn.subplots()
d = np.linspace(d0, 1, 101)
axes.plot(1 - d, mmse + (d - d0) ** 2, color="black", label="least error, by the formula")
print(f"{'':26} deviation   squared error   by the formula")
formulas = [mmse, mmse + ((1 - d0) / 2) ** 2, mmse + (1 - d0) ** 2, 2 * mmse, v]
for (name, answers_to_s), formula in zip(made_by.items(), formulas, strict=True):
    error = np.mean((answers_to_s - normal_x) ** 2)
    print(f"{name:26} {answers_to_s.std():9.3f} {error:15.3f} {formula:16.3f}")
    axes.plot(abs(1 - answers_to_s.std()), error, "o", label=name)
axes.set(xlabel="distance from the data, |1 - deviation|", ylabel="squared error")
axes.set(ylim=(0, 1.1))
axes.legend(loc="lower left")
show(
    drawn,
    "tradeoff",
    "Measured errors of five estimates, their distances from the data, and the minimum error.",
)

# %% [markdown]
# The mean has the minimum error and a standard deviation of 0.71, compared with 1 in the data. The
# posterior sample has the correct standard deviation and twice the error. But twice the error is
# not *necessary* here: the stretched mean has the distribution of the data, with an error of 0.586
# instead of 0.5. The stretched mean is not a posterior sample, because it is always the same number
# for a given $s$. The observation itself has the same error as the posterior sample, and its
# standard deviation is too large. So a poor estimate may be bad in both respects; a tradeoff exists
# only along the curve.
#
# ### The same with images
#
# Suppose that the images are a list of digits, each equally likely, and that $s$ consists of a
# digit's means over 4x4-pixel squares, `[7, 7]`, plus normal noise with standard deviation 0.25
# (white is 1). By Bayes' rule, the posterior of digit $x_j$ is proportional to $\exp(-|s - s_j|^2 /
# (2 \cdot 0.25^2))$, where $s_j$ is the digit's small image without noise. So the mean and
# posterior samples are known exactly, without training.

# %%
NOISE, SOUGHT = 0.25, len(digits) // 10
large = digits[..., 0] / 255.0
small = large.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(len(large), 49)
large = large.reshape(len(large), 784)
seen = small[:SOUGHT] + NOISE * random.normal(size=(SOUGHT, 49))
squares_apart = (seen**2).sum(axis=1)[:, None] - 2 * seen @ small.T + (small**2).sum(axis=1)
log_posterior = -squares_apart / (2 * NOISE**2)
posterior = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
posterior /= posterior.sum(axis=1, keepdims=True)


def posterior_draw():
    below = posterior.cumsum(axis=1)
    return large[(below < random.random((SOUGHT, 1))).sum(axis=1).clip(max=len(large) - 1)]


truth = large[:SOUGHT]
made_of_s = {
    "posterior mean": posterior @ large,
    "a fair draw": posterior_draw(),
    "another draw": posterior_draw(),
}
print(f"{'':16} {'squared error':>13} {'PSNR, dB':>9} {'variance':>9}   of the truth"
      f" {truth.var(axis=0).sum():.1f}")  # fmt: skip
for name, image in made_of_s.items():
    error = ((image - truth) ** 2).sum(axis=1).mean()
    decibels = -10 * np.log10(error / 784)
    print(f"{name:16} {error:13.2f} {decibels:9.2f} {image.var(axis=0).sum():9.1f}")


def shown_digits(rows, side=28):
    return np.round(255 * rows[:10].clip(0, 1)).astype("uint8").reshape(-1, side, side, 1)


show(
    captioned(
        [
            shown_digits(seen, 7).repeat(4, axis=1).repeat(4, axis=2),
            *(shown_digits(image) for image in made_of_s.values()),
            shown_digits(truth),
        ],
        ["s, 7x7 and noise", *made_of_s, "truth"],
    ),
    "posterior",
    "Small noisy digits, the posterior mean, two posterior samples, and the truth.",
)

# %% [markdown]
# Up to sampling error over 600 digits, the error of a posterior sample is twice the error of the
# mean, which corresponds to a loss of 3 dB. The mean has a variance of 30.2, which falls short of
# the data's variance, 51.6, by about the mean's error, 21.58. In the picture, the samples are clean
# digits, but some are *different* digits, such as a 5 instead of a 7. The mean shows its
# uncertainty as blur. To read a license plate, prefer the blurred image, because sharpness is not
# evidence.
#
# ## 6. SRGAN
#
# SRGAN (Ledig et al. 2017) enlarges photographs by a factor of 4. Its generator minimizes equation
# (3): a content loss, on pixels or on **features**, the maps inside a trained network (a
# *perceptual loss*, equations (4) and (5)), and a small weight times the adversarial loss of section 2, without the condition.
# With pixels alone, the best output is the mean of section 5, which is smooth. The adversarial loss
# pulls the distribution of outputs toward the distribution of the data. Wherever $s$ does not
# determine $x$, the mean does not have the distribution of the data, and a more realistic output
# has a larger squared error. This is not a fault of the training. How large the increase must be
# for photographs is unknown, because their posterior is unknown.
#
# How does a network enlarge an image? SRGAN computes almost everything at the small size, and
# doubles the sides twice with a **pixel shuffle** (Shi et al. 2016). A convolution returns $r^2$
# channels per output channel, and each position becomes a square of $r \times r$ pixels, row by
# row: with channel $c = r a + b$, and $0 \le a, b < r$,
#
# $$y_{r i + a,\; r j + b} = x_{i, j, c}.$$
#
# The pixels of a square come from different kernels, so all kernels see the same window of the
# small image, and no kernel copies overlap as in a transposed convolution (chapter 10).
#
# The published export of the recipe `srgan_set5` is the network trained on pixels. We apply this
# network to two photographs that were reduced to a quarter of their side length.

# %%
enlarger = keras_gen.load("srgan_set5")
quarter_size = tf.image.resize(photos, [SIDE // 4, SIDE // 4], "bicubic", antialias=True)
quarter_size = np.clip(np.round(quarter_size), 0, 255).astype("uint8")
bicubic = tf.image.resize(quarter_size, [SIDE, SIDE], "bicubic")
bicubic = np.clip(np.round(bicubic), 0, 255).astype("uint8")
enlarged = enlarger.translate(quarter_size)


def fine_detail(images):
    """Returns the standard deviation of what a 3x3 blur removes, in levels."""
    images = tf.cast(images, tf.float32)
    return np.std(images - tf.nn.avg_pool2d(images, 3, 1, "SAME"))


for name, image in (("bicubic", bicubic), ("network", enlarged), ("original", photos)):
    squared_error = np.mean((image.astype(float) - photos) ** 2)
    decibels = f"{10 * np.log10(255**2 / squared_error):5.2f} dB" if squared_error else " " * 8
    print(f"{name:9} {decibels}   fine detail {fine_detail(image):5.2f} levels")
third = SIDE // 3
cut = np.s_[:, third : third + SIDE // 2, third : third + SIDE // 2]
rows = [np.stack(row) for row in zip(bicubic[cut], enlarged[cut], photos[cut], strict=True)]
show(
    captioned(rows, column_names=["bicubic", "network, on pixels", "original"]),
    "enlarged",
    "Parts of two photographs: enlarged by 4 in two ways, and the originals.",
)

# %% [markdown]
# The network gains 1.2 dB over bicubic interpolation. Its output has a third of the original's fine
# detail: as the law of total variance suggests, outputs close to the mean lack detail. In the
# published run, the adversarial loss lowers the PSNR on Set5 from 30.87 to 30.42 dB. On Set14, this
# loss raises the fine detail from 0.4263 to 0.5237 of the originals' fine detail, and lowers the
# patch distance, a distance between the distributions of small patches, from 138.4 to 105.3. So it
# trades a little PSNR for the other two metrics. We do not show images from SRGAN, so there is no
# visual comparison here.
#
# ### Missing parts, videos, and talking heads
#
# **Inpainting.** A context encoder (Pathak et al. 2016) receives an image whose center is missing and
# predicts the center, with a squared error and a small adversarial loss. Section 5 applies: the
# squared error alone gives the mean of all possible centers and the highest PSNR, 18.11 dB in our
# published run, and the adversarial loss lowers it to 17.16 dB. Ridge regression reaches 17.63 dB.
# The task needs no labels, which makes it **self-supervised learning**: its encoder is a start for
# other tasks. With 100 labels for each of five classes, a linear classifier on the features is right
# in 63.5% of the cases, compared with 58.4% for an untrained encoder and for an autoencoder, 71.2%
# for an encoder that predicts by how much an image was rotated, and 75.2% for an encoder that was
# trained with labels of other classes.
#
# **Videos.** Single frames flicker if each is translated alone. *Everybody Dance Now* (Chan et al.
# 2019) gives pix2pix also the previous generated frame, $y_t = G(x_t, y_{t-1})$, and lets the
# discriminator judge pairs of consecutive frames, $D(x_{t-1}, x_t, y_{t-1}, y_t)$. This *temporal
# smoothing* has memory: hair or a skirt that lags behind the body is not part of the pose, but of the
# previous frame. In our published run with drawn dancers, the PSNR rises from 27.7 to 28.6 dB.
#
# ![One dancer in two dances: poses, pix2pix, pix2pix with the previous frame, and true frames.](../../recipes/results/pix2pix_video_drawn_dancers_dancing.gif)
#
# **Talking heads** (Zakharov et al. 2019) turn a few images of a person into a video driven by
# landmarks, the positions of eyes, nose, and mouth. An embedder $E$ maps the $T$ given images to one
# vector $e = \frac{1}{T} \sum_i E(x_i, l_i)$ with their landmarks $l_i$, and the generator draws the
# face from new landmarks, $G(l, e)$. *Meta-learning* trains $E$, $G$, and $D$ on many people, each
# time with $T$ images and one further frame as the target. For a new person, $G$ and $D$ are
# *fine-tuned* on the $T$ images for a few steps. A step of meta-learning is so similar to the later use
# that few images are enough.
#
# ![One head in twelve poses, in rows by method, and the true frames.](../pictures/talking_heads.gif)
#
# *Fine-tuning on eight images gives the right hair and colors, but blurs details. Rows: the given image with the nearest landmarks, the meta-learned networks, and the fine-tuned networks, with one and with eight images, and the true frames.*
#
# For these drawn faces, a baseline without networks is better: the nearest of the eight images,
# deformed so that its landmarks match, differs from the true frame by 5.7 levels, and the fine-tuned
# networks by 6.8.
#
# ## 7. Common claims, and what is true
#
# - **"Cycle consistency makes the translation unique"**, or "preserves the content". By itself,
#   cycle consistency does neither (section 3). The networks and their initialization select one of
#   many mappings.
# - **"All seeds agree, so the data determine the mapping."** Six runs agreed on a wrong mapping.
#   Compare translations with some true pairs.
# - **"The conditional GAN samples from all possible targets."** It would at the optimum of the
#   game, with noise and without the absolute loss. Ours generated only one of the four possible
#   targets.
# - **"The absolute loss is slightly sharper than the squared loss."** The absolute loss yields the
#   median instead of the mean. With our stripes, the result is an empty background, not a sharper
#   one.
# - **"A higher PSNR means a better image."** Outputs close to the mean have the highest expected
#   PSNR, but if the target is uncertain, real images often do not look like the mean.
#
# ## Questions
#
# **1.** The proof in section 3 starts from perfect $G$ and $F$. Now let $G$ and $F$ be *any*
# networks. Let $s$ mirror images horizontally, and let mirrored images of $Y$ be as frequent as the
# originals. Show that $G' = s \circ G$ and $F' = F \circ s^{-1}$ have the same losses as $G$ and
# $F$ against suitable discriminators.
#
# <details markdown="1"><summary>Answer</summary>
#
# Use $D_Y'(y) = D_Y(s^{-1}(y))$. Its output on $G'(x)$ is $D_Y$'s output on $G(x)$, and real
# $s^{-1}(y)$ are distributed as real $y$. $F'$ receives $y$, which is distributed as $s(u)$ with
# real $u$, and $F'(s(u)) = F(u)$. So both games are identical. The first cycle is
# $F(s^{-1}(s(G(x)))) = F(G(x))$. The second cycle is $|s(G(F(u))) - s(u)|$, and mirroring moves
# pixels without changing their differences, so it is $|G(F(u)) - u|$. Only the identity loss
# differs.
#
# </details>
#
# **2.** In section 1, let two of four rows be bright, at random positions that $x$ does not
# determine. Which background minimizes each loss, and what are the minimum values?
#
# <details markdown="1"><summary>Answer</summary>
#
# A pixel is 160 or 0, each with probability $1/2$. The squared loss is minimal at $a = 80$, where
# it is $80^2 = 6400$. The absolute loss is $(160 - a)/2 + a/2 = 80$ for *every* $a$ from 0 to 160:
# this loss has no preference, and the output of a trained network depends on its initialization and
# on the sampled batches.
#
# </details>
#
# **3.** Change the code: in the last of the `kinds` in section 3, write 130 instead of 50. To which
# clouds will the classes be mapped? Make a prediction before you run the code.
#
# <details markdown="1"><summary>Answer</summary>
#
# The clouds of $Y$ are 72° apart, and $130 = 2 \cdot 72 - 14$. So the nearest cloud is 14° away,
# and it belongs to the class two positions before: class 2 goes to cloud 0. All six games end with
# 34012, and no class is preserved.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | pairs | `Pix2Pix` | [pix2pix_facades](../../recipes/pix2pix_facades.py) | patch distance 129.8, with the absolute loss alone 424.6; nearest label map 83.05 | [Isola et al. 2017](https://arxiv.org/abs/1611.07004) |
# | no pairs, cycles | `CycleGAN` | [cyclegan_monet](../../recipes/cyclegan_monet.py) | excess patch distance 0.2152; color transfer and gray grain 0.2573 | [Zhu et al. 2017](https://arxiv.org/abs/1703.10593) |
# | shared latents | `UNIT` | [unit_mnist_usps](../../recipes/unit_mnist_usps.py) | USPS accuracy after translation 0.8355; nearest neighbor on cropped ink 0.9450 | [Liu et al. 2017](https://arxiv.org/abs/1703.00848) |
# | shared weights | `CoGAN` | [co_gan_mnist](../../recipes/co_gan_mnist.py) | fraction of pairs with matching classes, negatives 0.9314; mismatched pairs 0.1068 | [Liu, Tuzel 2016](https://arxiv.org/abs/1606.07536) |
# | super-resolution | `SRGAN` | [srgan_set5](../../recipes/srgan_set5.py) | PSNR on Set5 30.87 dB, SRGAN 30.42; ridge regression per patch cluster 29.79 | [Ledig et al. 2017](https://arxiv.org/abs/1609.04802) |
# | missing parts, the price of an adversarial loss | `ContextEncoder` | [context_encoder_cifar10](../../recipes/context_encoder_cifar10.py) | PSNR of the missing center 17.16 dB, without the adversarial loss 18.11; ridge regression 17.63 | [Pathak et al. 2016](https://arxiv.org/abs/1604.07379) |
