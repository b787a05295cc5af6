# %% [markdown]
# # 14. Diffusion for images
#
# [Chapter 13](13_diffusion.md) derived diffusion models and used 2-D points to check them. This
# chapter is about images: what the network should predict, how its architecture uses the time, how
# labels guide sampling, and which sampler needs the fewest network evaluations. All experiments use
# handwritten digits of 16 × 16 pixels and one network, which is trained in a minute or two.
#
# After this chapter, you can convert between the three common predictions, draw the U-Net of a
# diffusion model, derive DPM-Solver++ and classifier-free guidance, explain how guidance changes
# the distribution, and relate EDM to predicting $v$.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, with fewer steps and images.

# %%
import functools
import os
from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.stats import norm

from keras_gen import DDPM, ConditionalDDPM
from keras_gen.classifiers import Classifier
from keras_gen.data import Source, small_images
from keras_gen.diffusion import CosinePath, KarrasPath, LinearPath
from keras_gen.diffusion.solvers import SOLVERS, solve
from keras_gen.metrics import gradient_histograms, kernel_distance
from keras_gen.networks import time_mlp, time_unet
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import captioned, new_figure, show

QUICK = bool(os.environ.get("QUICK"))
TRAIN = 200 if QUICK else 20_000  # maximum number of training digits
N = 20 if QUICK else 200  # samples in each evaluated set, a multiple of 10
TESTED = 40 if QUICK else 600  # test digits
STEPS = 4 if QUICK else 1100  # for training the U-Net
LATENT_STEPS = 4 if QUICK else 2500  # for each model of latents
CLASSIFIER_STEPS = 4 if QUICK else 400
PER_CALL = 2 if QUICK else 50  # training steps per TensorFlow call
WIDTHS = (8, 16) if QUICK else (16, 32)  # channels of the U-Net
LATENTS = 24  # principal components of a digit
WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0)  # of the guidance
EVALUATIONS = (5, 9) if QUICK else (5, 9, 17)  # of the network, per sample
REFERENCE_STEPS = 10 if QUICK else 40  # of the sampler that the others are compared with
GROUPS = 20  # into which sets are divided for the error of a difference
# A palette that color-blind readers can distinguish (Okabe, Ito).
BLUE, ORANGE, GREEN, PINK, BLACK = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#000000"

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. Digits on a path
#
# The digits of MNIST are cropped to the middle 24 × 24 pixels and reduced to 16 × 16. As in
# chapter 13, a path leads from a digit $x$ to noise $\epsilon$:
#
# $$x_t = \alpha(t) x + \sigma(t) \epsilon, \qquad \alpha^2 + \sigma^2 = 1. \tag{1}$$
#
# The linear path of DDPM was designed for images with more pixels. Neighboring pixels of a large
# image are similar, so the content of the image survives more noise. For small images, Nichol and
# Dhariwal (2021) proposed a path that adds noise more slowly: the point $(\alpha, \sigma)$ moves on
# the unit circle at constant speed, so $\alpha$ is about $\cos(\pi t / 2)$.

# %%
data = small_images("mnist", labels=True, first=TRAIN)
print(data.warning or "the digits of MNIST")
images, labels = data.train.take(TRAIN).arrays()
test, test_labels = data.test.take(TESTED).arrays()


def reduced(digits):
    """Returns digits `[n, 28, 28, 1]` without their margins, at 16 × 16 pixels, as uint8."""
    middle = tf.image.resize(digits[:, 2:26, 2:26], (16, 16), "area")
    return np.round(middle).astype("uint8")


images, test = reduced(images), reduced(test)
SHAPE, CLASSES = images.shape[1:], 10
PATH = CosinePath()
print("training images", images.shape, "and test images", test.shape)

times = np.linspace(0, 1, 9)
noise = random.normal(size=(4, *SHAPE)).astype("float32")
digits = test[:4] / np.float32(127.5) - 1


def as_levels(values):
    """Returns values in [-1, 1] as uint8 images, after clipping."""
    return np.clip(np.round(127.5 * (np.asarray(values) + 1)), 0, 255).astype("uint8")


rows = {}
for name, path in (("linear path", LinearPath()), ("cosine path", PATH)):
    noisy = [path.at(tf.constant(t, tf.float32), digits, noise) for t in times]
    for number in range(2):
        rows[f"{name}, digit {number + 1}"] = as_levels([one[number] for one in noisy])
    alphas = [float(path.alpha(tf.constant(t))) for t in times]
    print(f"alpha on the {name}:", *(f"{alpha:5.2f}" for alpha in alphas))
show(
    captioned(rows.values(), list(rows), [f"t = {t:g}" for t in times]),
    "paths",
    "On the linear path, digits vanish in the first half; on the cosine path, later. Rows: two "
    "digits on each path. Columns: times, from the digit to noise.",
)

# %% [markdown]
# ## 2. Three targets
#
# A network sees $x_t$ and $t$. It can predict the noise $\epsilon$, the example $x$, or, as
# proposed by Salimans and Ho (2022), the combination
#
# $$v = \alpha \epsilon - \sigma x. \tag{2}$$
#
# Let $\varphi$ be the angle with $\cos \varphi = \alpha$ and $\sin \varphi = \sigma$. Equations 1
# and 2 rotate the pair $(x, \epsilon)$ by $-\varphi$, and $v$ is the derivative of $x_t$ with
# respect to the angle:
#
# $$\begin{pmatrix} x_t \\ v \end{pmatrix} = \begin{pmatrix} \cos \varphi & \sin \varphi \\
# -\sin \varphi & \cos \varphi \end{pmatrix} \begin{pmatrix} x \\ \epsilon \end{pmatrix}, \qquad
# v = \frac{d x_t}{d \varphi}.$$
#
# The inverse rotation gives
#
# $$x = \alpha x_t - \sigma v, \qquad \epsilon = \sigma x_t + \alpha v. \tag{3}$$
#
# (Papers on DDPM and the assignment write $\bar\alpha_t$ for $\alpha^2$. So $\sigma$ is
# $\sqrt{1 - \bar\alpha_t}$.)
#
# Any two of the four quantities determine the other two. From a predicted $\epsilon$, the example
# is $x = (x_t - \sigma \epsilon) / \alpha$; from a predicted $x$, the noise is $\epsilon = (x_t -
# \alpha x) / \sigma$. For a given $x_t$, these relations are linear, so they also hold for
# conditional means: three *perfect* networks, one per target, contain the same information.
#
# Imperfect networks differ in how errors are converted. Subtract each relation for the predictions,
# which have a hat, from the same relation for the true values. Since $x_t$ is the same in both,
#
# $$x - \hat x = -\sigma (v - \hat v) = -\frac{\sigma}{\alpha} (\epsilon - \hat\epsilon).
# \tag{4}$$
#
# So the three losses are the same error with three different weights:
#
# $$|\epsilon - \hat\epsilon|^2 = \frac{\alpha^2}{\sigma^2} |x - \hat x|^2, \qquad
# |v - \hat v|^2 = \frac{1}{\sigma^2} |x - \hat x|^2
# = |x - \hat x|^2 + |\epsilon - \hat\epsilon|^2. \tag{5}$$
#
# The last step uses $1 / \sigma^2 = 1 + \alpha^2 / \sigma^2$: the loss of $v$ is the *sum* of the
# other two losses. We check all equations with random numbers, and compare them with `parts`, the
# library's conversion of a prediction to an example and noise.

# %%
x, eps, predicted = random.normal(size=(3, 5, 4))
for time in (0.05, 0.5, 0.95):
    t = tf.constant(time, "float64")
    alpha, sigma = PATH.alpha(t).numpy(), PATH.sigma(t).numpy()
    x_t, v = alpha * x + sigma * eps, alpha * eps - sigma * x
    x_hat, eps_hat = (part.numpy() for part in PATH.parts("v", t, x_t, predicted))
    squares = [np.sum((a - b) ** 2) for a, b in ((x, x_hat), (eps, eps_hat), (v, predicted))]
    differences = {
        "x = alpha x_t - sigma v": x - (alpha * x_t - sigma * v),
        "noise = sigma x_t + alpha v": eps - (sigma * x_t + alpha * v),
        "the library's example": x_hat - (alpha * x_t - sigma * predicted),
        "equation 4, relative": (x - x_hat) / (-sigma * (v - predicted)) - 1,
        "equation 5, relative": (squares[0] + squares[1]) / squares[2] - 1,
    }
    worst = max(np.abs(each).max() for each in differences.values())
    print(f"t = {time:4.2f}: largest difference in {len(differences)} equations {worst:.0e}")

# %%
drawn = new_figure(9.5, 3.6)
left, right = drawn.subplots(1, 2)
t = tf.constant(np.linspace(0.01, 0.99, 200))
alpha, sigma = PATH.alpha(t).numpy(), PATH.sigma(t).numpy()
factors = {"noise": sigma / alpha, "v": sigma, "example": np.ones_like(alpha)}
for (name, factor), color, line in zip(
    factors.items(), (ORANGE, BLUE, GREEN), ("-", "--", ":"), strict=True
):
    left.plot(t, factor, line, color=color, label=name, linewidth=2)
    right.plot(t, factor**-2.0, line, color=color, label=name, linewidth=2)
left.set(yscale="log", xlabel="t", ylabel="error in x per error of the prediction")
right.set(yscale="log", xlabel="t", ylabel="weight of the squared error in x")
for axes in (left, right):
    axes.legend(title="prediction")
show(
    drawn,
    "targets",
    "Predicting v avoids both large factors and small weights. Left: factors by which errors of a "
    "prediction become errors in x. Right: the losses as weights of the error in x.",
)

# %% [markdown]
# Read the left panel from the right: near $t = 1$, an error in the predicted noise is divided by
# $\alpha$, which is nearly 0. Predicting the example has the opposite weakness: near $t = 0$,
# computing the noise requires a division by $\sigma$, and the loss has little weight there, where
# fine detail is decided. Predicting $v$ never requires division by a small number. By equation 5,
# the loss of $v$ is at least as large as each of the other losses, so neither end is neglected.
# Section 7 trains all three and compares them.
#
# ## 3. The U-Net
#
# The network maps an image to an image. It needs a large context to decide which digit the image
# shows, and fine detail to place strokes. A **U-Net** (Ronneberger et al. 2015) computes the
# context on smaller maps and returns to the full size, where **skip connections** bring back the
# detail: earlier maps of the same size are appended as channels.
#
# To save time, the first convolution has stride 2, so each map starts with $8 \times 8$ positions,
# one per patch of $2 \times 2$ pixels. The last layer returns four numbers per position, the pixels
# of its patch. Between the two sizes, a convolution with stride 2 halves the maps, and repeating
# each position four times, followed by a convolution, doubles them. A **block** consists of a
# convolution, a normalization, a ReLU, and a second convolution, whose output is added to the
# block's input.
#
# The time enters every block, as the words "block with $e$" in the diagram show. It is encoded as
# sines and cosines of 32 frequencies, followed by two dense layers; if labels are given, an
# embedding of the label is added. Each block normalizes its maps in groups and then applies a scale
# and an offset computed from this embedding $e$:
#
# $$h \mapsto (1 + \gamma(e))\, \mathrm{normalized}(h) + \delta(e).$$
#
# So one network can act as a different denoiser at every noise level.
#
# On the smallest maps, **self-attention** follows three of the blocks. A convolution sees only
# neighboring positions, but whether a stroke at the top fits a stroke at the bottom depends on
# positions that are far apart. Let $h_i$ be the normalized vector of the $C$ channels at position
# $i$. Three linear maps compute a query $q_i$, a key $k_i$, and a value $u_i$ from it. Each
# position then receives a mean of the values at *all* positions, after a fourth linear map $W$:
#
# $$h_i \mapsto h_i + W \sum_j a_{ij} u_j, \qquad
# a_{ij} = \frac{\exp(q_i \cdot k_j / \sqrt{C})}{\sum_l \exp(q_i \cdot k_l / \sqrt{C})}.$$
#
# So the network itself computes, for each image, which positions are relevant to each other. (In
# the first term, $h_i$ is not normalized. $W$ starts at 0, so attention has no effect at first.)
# Unlike in a language model, all positions are known, so there is no mask ([chapter
# 17](17_words.md), section 5, explains the factor $\sqrt{C}$ and masks). The weights $a_{ij}$ are a
# matrix with one row and one column per position: $16 \times 16$ for maps of $4 \times 4$
# positions, but $4096 \times 4096$ for maps of $64 \times 64$. This is why attention is used on
# small maps only.
#
# Here is the network that `time_unet` builds, with the sizes of its maps.
#
# ![The U-Net of this chapter. On the left, maps shrink from 8 × 8 × 16 to 4 × 4 × 32. On the right, they grow again. Four dashed skip connections lead from the left to maps of the same size on the right, and all blocks receive the embedding of the time.](diagrams/14_unet.svg)
#
# *The U-Net: down to small maps and up again. Dashed: skip connections.*

# %%
network = time_unet(SHAPE, WIDTHS, classes=CLASSES)
joined = [layer for layer in network.layers if isinstance(layer, keras.layers.Concatenate)]
joined = [layer for layer in joined if len(layer.output.shape) == 4]
print(f"parameters: {network.count_params():,}")
print("maps after each skip connection:", *(layer.output.shape[1:] for layer in joined))

# %% [markdown]
# ## 4. Training
#
# The training step is the same as in chapter 13, with $v$ as the target: sample times and noise,
# compute $x_t$ and $v$, and minimize $|v - \hat v|^2$. `ConditionalDDPM` also passes the label to
# the network, and replaces it with the label "none" for 10% of the examples, which section 6 needs.
# Two details are not in the papers. In training, black is moved down by 40 gray levels, so the
# prepared values range from $-1 - 40 / 127.5 = -1.31$ to 1, and samples are clipped to $[-1, 1]$.
# Without this margin, an error of a few levels in the background would be visible as faint noise;
# with it, an error of up to 40 levels is clipped away. And the embedding of the labels is
# initialized with a standard deviation of 1 instead of 0.03, so that labels influence the network
# from the first step.

# %%
for layer in network.layers:
    if isinstance(layer, keras.layers.Embedding):
        layer.set_weights([random.normal(size=layer.embeddings.shape)])
model = ConditionalDDPM(
    network, classes=CLASSES, prediction="v", probability_path=PATH, black_level=-40.0, seed=0
)
model.compile(Adam(CosineDecay(3e-3, STEPS)), steps_per_execution=PER_CALL)
stream = Source((images, labels)).stream(64, 0)
history = model.fit(stream, steps_per_epoch=STEPS // 2, epochs=2, verbose=0).history["loss"]
print(f"loss {history[0]:.3f} in the first half, {history[1]:.3f} in the second")

# %% [markdown]
# What does the network predict at each time? By section 2 of chapter 13, its best prediction $\hat
# x$ is the mean of all digits that could have led to $x_t$. As a baseline, consider the best
# *linear* prediction. The mean of the training digits is $\mu$, and their covariance is $C = U
# \Lambda U^T$. The principal components of $x_t$ are uncorrelated, so each one is predicted
# separately, by the regression of $x$ on $x_t$. Its slope is the covariance $\alpha \lambda_i$
# divided by the variance $\alpha^2 \lambda_i + \sigma^2$:
#
# $$\hat x_\mathrm{lin} = \mu + U D U^T (x_t - \alpha \mu), \qquad
# D_i = \frac{\alpha \lambda_i}{\alpha^2 \lambda_i + \sigma^2}.$$
#
# The linear prediction would be the best of all predictions if digits were normally distributed.

# %%
prepared = model.prepare(test).numpy()
flat = model.prepare(images).numpy().reshape(len(images), -1).astype("float64")
center = flat.mean(axis=0)
print(f"prepared pixels: from {flat.min():.2f} to {flat.max():.2f}, variance {flat.var():.2f}")
variances, components = np.linalg.eigh(np.cov(flat - center, rowvar=False))
variances, components = np.maximum(variances[::-1], 0), components[:, ::-1]


def linear_prediction(x_t, alpha, sigma):
    """Returns the best linear prediction of digits from noisy digits `[n, ...]`."""
    codes = (x_t.reshape(len(x_t), -1) - alpha * center) @ components
    shrinkage = alpha * variances / (alpha**2 * variances + sigma**2)
    return (center + shrinkage * codes @ components.T).reshape(x_t.shape)


noise = random.normal(size=prepared.shape).astype("float32")
given_labels = [tf.fill([len(test)], CLASSES), tf.constant(test_labels, tf.int32)]  # none, true
shown = int(np.flatnonzero(test_labels == 3)[0]) if np.any(test_labels == 3) else 0
columns = []
print("   t   squared error per pixel: linear   network, no labels   network, labels")
for time in (0.2, 0.4, 0.6, 0.8, 0.95):
    t = tf.constant(time)
    x_t = PATH.at(t, prepared, noise)
    made = [linear_prediction(x_t.numpy(), float(PATH.alpha(t)), float(PATH.sigma(t)))]
    made += [model.parts(x_t, t, labels=each).example.numpy() for each in given_labels]
    columns.append([as_levels(each[shown]) for each in (x_t, *made, prepared)])
    errors = [np.mean((each - prepared) ** 2) for each in made]
    print(f"{time:4.2f} {errors[0]:31.4f} {errors[1]:20.4f} {errors[2]:17.4f}")

# %%
show(
    captioned(
        [np.stack(row) for row in zip(*columns, strict=True)],
        [
            "noisy digit",
            "best linear prediction",
            "network, no label",
            "network, label",
            "digit",
        ],
        [f"t = {time}" for time in (0.2, 0.4, 0.6, 0.8, 0.95)],
    ),
    "beliefs",
    "The more noise, the more the predicted digit resembles a mean of many digits. Rows: one digit "
    "with noise, three predictions of it, and the digit.",
)

# %% [markdown]
# With little noise, the network's error is well below the error of the linear prediction, and the
# label barely matters. Toward $t = 1$, a predictor without labels can only return the mean of all
# digits, whatever its architecture, so no network can have an advantage. Ours even falls slightly
# behind the linear prediction, which is nearly the best one there: it saw the label "none" in only
# a tenth of its short training. So a diffusion model improves on a normal distribution at small and
# medium $t$. A label helps most where the noise hides the digit: there, the prediction is the mean
# of one class.
#
# ## 5. Samplers
#
# A sampler starts from $x_1 = \epsilon$ and moves to $t = 0$ through a sequence of times. At each
# time, equation 3 turns the network's output into $\hat x$ and $\hat\epsilon$. Four samplers solve
# the same differential equation, and one sampler adds noise:
#
# - **DDIM**: $x_s = \alpha_s \hat x + \sigma_s \hat\epsilon$ for the next time $s < t$.
# - **Euler**: $x_s = x_t + (s - t) \dot x_t$, with the velocity $\dot x_t = \alpha' \hat x +
#   \sigma' \hat\epsilon$.
# - **Heun**: an Euler step, which is then repeated with the mean of the velocities at its two ends.
#   This costs two evaluations of the network per step.
# - **DPM-Solver++** (Lu et al. 2022), which we derive now.
# - **Ancestral**: DDPM's random step from chapter 13.
#
# In all of the library's samplers, the *last* step, to $s = 0$, returns $\hat x$ and costs one
# evaluation, so $n$ steps of Heun's method cost $2n - 1$ evaluations. For DDIM and DPM-Solver++,
# this is what their formulas give, because $\alpha_0 = 1$ and $\sigma_0 = 0$. For Euler and Heun,
# it is a deviation: by its formula, a last Euler step would end at $(\alpha_t - t \alpha'_t)\, \hat
# x + (\sigma_t - t \sigma'_t)\, \hat\epsilon$, which still contains noise. So the tables below do
# not compare pure Euler steps.
#
# Substitute $\hat\epsilon = (x_t - \alpha_t \hat x) / \sigma_t$ into DDIM, and divide by
# $\sigma_s$. With $\lambda = \log(\alpha / \sigma)$, half the logarithm of the signal-to-noise
# ratio,
#
# $$\frac{x_s}{\sigma_s} - \frac{x_t}{\sigma_t} = (e^{\lambda_s} - e^{\lambda_t})\, \hat x.
# \tag{6}$$
#
# DDIM and Euler's method solve the same equation: because $x_t = \alpha_t \hat x + \sigma_t
# \hat\epsilon$, DDIM's step is $x_s - x_t = (\alpha_s - \alpha_t)\, \hat x + (\sigma_s -
# \sigma_t)\, \hat\epsilon$, and for $s \to t$, this is $(s - t)(\alpha' \hat x + \sigma'
# \hat\epsilon)$, Euler's step. For small steps, equation 6 is the differential equation $d(x_t /
# \sigma_t) = \hat x\, e^\lambda d\lambda$, whose solution is an integral:
#
# $$\frac{x_s}{\sigma_s} = \frac{x_t}{\sigma_t} + \int_{\lambda_t}^{\lambda_s} e^\lambda\,
# \hat x(\lambda)\, d\lambda. \tag{7}$$
#
# The factor $e^\lambda$ is known, so only the change of $\hat x$ within the step has to be
# approximated. DDIM keeps $\hat x$ constant. DPM-Solver++(2M) extrapolates: it uses the prediction
# $\hat x_-$ from the previous step, whose length in $\lambda$ is $h_-$, to estimate $\hat x$ in the
# middle of the current step of length $h$:
#
# $$\hat x + \frac{h}{2 h_-} (\hat x - \hat x_-). \tag{8}$$
#
# Why does the value in the middle suffice, although $e^\lambda$ is not constant? Expand $\hat x$
# around the middle. The linear term is as large on one side as on the other, with opposite signs,
# so its integral cancels up to the change of $e^\lambda$ within the step, and is of the order
# $h^3$. The error of the extrapolated value, of the order $h^2$, is also multiplied by the length
# of the step. So each step has an error of the order $h^3$, and $1 / h$ steps have an error of the
# order $h^2$.
#
# With this prediction in place of $\hat x$ in equation 6, a step is
#
# $$x_s = \frac{\sigma_s}{\sigma_t} x_t + \Big( \alpha_s - \frac{\sigma_s}{\sigma_t} \alpha_t \Big)
# \Big( \hat x + \frac{h}{2 h_-} (\hat x - \hat x_-) \Big).$$
#
# At both ends, there is nothing to extrapolate: the first step has no $\hat x_-$, and in the last
# step, $\lambda_s$ and $h$ are infinite, because $\sigma_s = 0$. Both are DDIM steps, without the
# second term of equation 8.
#
# Extrapolating costs *no* further evaluation. We check the order of the error on an example with a
# known solution. If the data are normal with variance $c$, then $x_t$ has the variance
# $V = \alpha^2 c + \sigma^2$, and the best predictions are $\hat x = \alpha c x_t / V$ and
# $\hat\epsilon = \sigma x_t / V$. So the velocity is $(\alpha' \alpha c + \sigma' \sigma) x_t / V =
# V' x_t / (2 V)$, and $x_t$ stays proportional to $\sqrt V$: the exact solution is a ratio of
# standard deviations.


# %%
def exact_deviation(t, c):
    """Returns the standard deviation of x_t for normal data with variance c."""
    return np.sqrt(PATH.alpha(t) ** 2 * c + PATH.sigma(t) ** 2)


def best_parts(x_t, t, c):
    """Returns the best predictions for normal data with variance c."""
    example = PATH.alpha(t) * c * x_t / (PATH.alpha(t) ** 2 * c + PATH.sigma(t) ** 2)
    return PATH.parts("example", t, x_t, example)


start, end = (tf.constant(time, "float64") for time in (0.9, 0.1))
print("error after steps            16        32        64    order")
for c in (4.0, 0.3):
    wanted = exact_deviation(end, c) / exact_deviation(start, c)
    for name in ("ddim", "euler", "heun", "dpm_solver"):
        errors = []
        predict = functools.partial(best_parts, c=c)
        for count in (16, 32, 64):
            way = tf.constant(np.linspace(0.9, 0.1, count + 1))
            found = solve(predict, PATH, tf.ones([1], "float64"), way, SOLVERS[name].step)
            errors.append(abs(float(found[0]) - wanted))
        order = np.log2(errors[1] / errors[2])
        numbers = "".join(f"{error:10.6f}" for error in errors)
        print(f"variance {c}, {name:10}{numbers}{order:8.2f}")

# %% [markdown]
# Halving the step roughly halves the error of DDIM and Euler, which are of first order, and divides
# the error of Heun and DPM-Solver++ by nearly four: they are of second order. The order of a solver
# is not its error, however. With a variance of 0.3, which is similar to the variance of our pixels
# around the mean digit (about 0.4, the linear error near $t = 1$), the leading errors of Euler's
# method nearly cancel on this path, and more steps do not always reduce the total error. So Euler's
# method can be accurate here by coincidence, which does not generalize to other data or paths. The
# columns count steps, and Heun's method evaluates the network twice per step: compare its error
# after 32 steps with that of DPM-Solver++ after 64.
#
# With a trained network, there are two errors. The *solver's* error is the distance from the exact
# solution for the same latents; we treat a solution with many steps of Heun's method as exact. The
# *samples'* error is the kernel distance of [chapter 10](10_gans_that_draw.md) between samples and
# test digits, computed from histograms of gradients. It is an unbiased estimate, so sets from the
# same distribution have values around 0, which may be negative. The distance of an equal number of
# training digits shows what is achievable. The solver's error is defined only for the four samplers
# without noise. Each column compares samplers with equal numbers of network evaluations; `followed`
# runs a solver from given latents.
#
# Values after ± are jackknife standard errors (chapter 10). Sets from the same latents have much of
# this error in common, so their *difference* is known more precisely. `compare` computes its error
# by leaving out one twentieth of the latents and of the test digits at a time, and calls two sets
# different only if the difference exceeds two standard errors.


# %%
@functools.cache
def sampler(name):
    """Returns a function that maps latents, labels, times, and seeds to images in [-1, 1]."""
    shapes = ([None, *SHAPE], [None], [None], [None])
    dtypes = ("float32", "int32", "float32", "int32")

    def run(latents, labels, times, seeds):
        return model.followed(latents, times, SOLVERS[name].step, seeds, labels=labels)

    signature = [
        tf.TensorSpec(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    return tf.function(run, input_signature=signature, autograph=False)


asked = np.arange(N) % CLASSES
latents = random.normal(size=(N, *SHAPE)).astype("float32")
seeds = np.arange(N)


def drawn_by(name, steps):
    """Returns images of the requested digits, uint8 `[N, ...]`."""
    return model.restore(sampler(name)(latents, asked, PATH.times(steps), seeds)).numpy()


reference = gradient_histograms(test)


def distance(digits):
    """Returns 1,000 times the kernel distance of images from test digits, and its error."""
    return 1000 * np.array(kernel_distance(gradient_histograms(digits), reference))


def with_error(found):
    return f"{found[0]:.1f} ± {found[1]:.1f}"


def compare(first, second, sets):
    """Prints which of two sets is closer to the test digits, if that is certain."""
    a, b = (gradient_histograms(sets[name]) for name in (first, second))
    own, tested = (
        np.arange(N) * GROUPS // N,
        np.arange(len(reference)) * GROUPS // len(reference),
    )
    gaps = []
    for left_out in range(-1, GROUPS):  # first, nothing is left out
        known = reference[tested != left_out]
        one, other = (kernel_distance(each[own != left_out], known)[0] for each in (a, b))
        gaps.append(1000 * (one - other))
    gap, error = gaps[0], np.sqrt((GROUPS - 1) * np.var(gaps[1:]))
    said = (
        "closer" if gap < -2 * error else "farther" if gap > 2 * error else "not distinguishable"
    )
    print(f"{first} compared with {second}: difference {gap:.1f} ± {error:.1f}, {said}")


limit = drawn_by("heun", REFERENCE_STEPS).astype("float64")
made = {
    (name, count): drawn_by(name, (count + 1) // 2 if name == "heun" else count)
    for name in ("ancestral", "ddim", "euler", "heun", "dpm_solver")
    for count in EVALUATIONS
}
gaps = {
    key: np.sqrt(np.mean((digits - limit) ** 2))
    for key, digits in made.items()
    if key[0] != "ancestral"
}
distances = {key: distance(digits) for key, digits in made.items()}
head = "".join(f"{count:8}" for count in EVALUATIONS)
print("evaluations  distance from the solution, levels | kernel distance x 1000, ± its error")
print(f"{'':12}{head}   |" + "".join(f"{count:14}" for count in EVALUATIONS))
for name in ("ancestral", "ddim", "euler", "heun", "dpm_solver"):
    found = [gaps.get((name, count)) for count in EVALUATIONS]
    first = "".join(f"{'':8}" if gap is None else f"{gap:8.1f}" for gap in found)
    second = "".join(f"{with_error(distances[name, count]):>14}" for count in EVALUATIONS)
    print(f"{name:12}{first}   |{second}")
solvers = ("ddim", "euler", "heun", "dpm_solver")
ranked = sorted(solvers, key=lambda name: gaps[name, EVALUATIONS[1]])
print(f"closest to the solution after {EVALUATIONS[1]} evaluations:", ", ".join(ranked))
by_name = {f"{name} {count}": digits for (name, count), digits in made.items()}
by_name["the solution"] = limit.astype("uint8")
print(f"the solution, {REFERENCE_STEPS} steps: {with_error(distance(by_name['the solution']))}")
print(f"{N} training digits:    {with_error(distance(images[:N]))}")
fewest, middle, most = EVALUATIONS[0], EVALUATIONS[1], EVALUATIONS[-1]
for first, second in (
    (f"heun {fewest}", "the solution"),
    (f"dpm_solver {middle}", f"heun {middle}"),
    (f"dpm_solver {middle}", f"ddim {middle}"),
    (f"ddim {most}", f"ddim {fewest}"),
    (f"ddim {fewest}", f"ancestral {fewest}"),
    (f"ddim {fewest}", f"euler {fewest}"),
):
    compare(first, second, by_name)

# %%
rows = {}
for name in ("ancestral", "ddim", "heun", "dpm_solver"):
    for count in EVALUATIONS[:2]:
        rows[f"{name}, {count}"] = made[name, count][:10]
rows[f"the solution, {REFERENCE_STEPS}"] = limit[:10].astype("uint8")
show(
    captioned(rows.values(), list(rows), list(map(str, range(10)))),
    "samplers",
    "Samplers without noise agree on the digits; the ancestral sampler generates others. "
    "Columns: requested digits, each with the same latent. Rows: samplers and evaluations.",
)

# %%
drawn = new_figure(9.5, 3.6)
left, right = drawn.subplots(1, 2)
styles = {
    "ancestral": (PINK, "v", ":"),
    "ddim": (BLUE, "o", "-"),
    "euler": (ORANGE, "s", "--"),
    "heun": (GREEN, "^", "-."),
    "dpm_solver": (BLACK, "D", "-"),
}
for place, (name, (color, marker, line)) in enumerate(styles.items()):
    style = dict(color=color, marker=marker, linestyle=line, label=name)
    if name != "ancestral":
        left.plot(EVALUATIONS, [gaps[name, count] for count in EVALUATIONS], **style)
    found = np.transpose([distances[name, count] for count in EVALUATIONS])
    shifted = np.array(EVALUATIONS) * 1.03 ** (place - 2)  # so that error bars do not overlap
    right.errorbar(shifted, found[0], found[1], capsize=2, **style)
left.set(xscale="log", ylabel="distance from the solution, levels")
right.set(xscale="log", ylabel="kernel distance x 1000")
right.set_ylim(top=right.get_ylim()[1] + 0.4 * np.ptp(right.get_ylim()))  # for the legend
for axes in (left, right):
    axes.set(xlabel="network evaluations", xticks=EVALUATIONS, xticklabels=EVALUATIONS)
    axes.minorticks_off()
    axes.legend()
show(
    drawn,
    "evaluations",
    "More evaluations solve the equation better, but soon do not improve the samples. Left: "
    "distance from the solution. Right: distance from test digits, with standard errors.",
)

# %% [markdown]
# The two panels answer different questions. On the left, every additional evaluation helps. On the
# right, the curves of the better solvers are flat within their errors: once the solver's error is
# small compared with the error of the network, more steps do not bring samples closer to the data.
# With 200 samples, the error of a single distance is large, so compare rows only by the printed
# differences, in which the shared latents cancel. A difference of two standard errors occurs by
# chance in one of twenty comparisons, so only the larger ones are reliable, and all of them are
# about *one* trained network.
#
# One result is surprising, and occurred in every training run that we compared: Heun's method with
# 5 evaluations is closer to the test digits than the solution. Solving the equation of an imperfect
# network exactly gives the samples of that network, not the data, and an inexact solver may
# compensate for some of the network's error. So a better solver is not necessarily a better
# sampler, and the kernel distance must not be used to rank solvers.
#
# ## 6. Classifier-free guidance
#
# The label selects the digit. With the method of Ho and Salimans (2022), samples match their labels
# more often. By Bayes' rule at time $t$, $\log q(x_t \mid c) = \log q(x_t) + \log q(c \mid x_t) +
# \mathrm{const}$. So the difference between the scores with and without a label is the gradient of
# a classifier of noisy images, although no classifier was trained:
#
# $$\nabla \log q(x_t \mid c) - \nabla \log q(x_t) = \nabla \log q(c \mid x_t). \tag{9}$$
#
# Guidance adds $w$ times this difference to the score:
#
# $$(1 + w) \nabla \log q(x_t \mid c) - w \nabla \log q(x_t)
# = \nabla \log q(x_t) + (1 + w) \nabla \log q(c \mid x_t). \tag{10}$$
#
# With predicted noise $\hat\epsilon$, the score is $-\hat\epsilon / \sigma$, so predicted noises
# are combined with the same weights. The weights $1 + w$ and $-w$ sum to 1, and equation 3 is
# linear for fixed $x_t$. Therefore, the combination also applies to $\hat v$ and $\hat x$:

# %%
w, t = 2.0, tf.constant(0.6, "float64")
x_t, with_label, without = random.normal(size=(3, 5, 4))
mixed = PATH.parts("v", t, x_t, (1 + w) * with_label - w * without)
parts = [PATH.parts("v", t, x_t, v) for v in (with_label, without)]
for name in ("example", "noise"):
    first, second = (getattr(part, name) for part in parts)
    gap = np.abs(getattr(mixed, name) - ((1 + w) * first - w * second)).max()
    print(f"combining {name}s instead of v: largest difference {gap:.0e}")

# %% [markdown]
# Guidance doubles the cost of a step: the network is evaluated with and without the label. (Many
# programs call $1 + w$ the guidance scale: their 7.5 is $w = 6.5$.) We sweep $w$. Agreement is the
# fraction of samples in which a small classifier, trained on the same clean digits, recognizes the
# requested digit. Variety is the variance of the pixels within a class, relative to test digits.
# Even without guidance, some variety is missing, so only the decrease from $w = 0$ is due to
# guidance.

# %%
judge = Classifier.for_images(SHAPE, CLASSES, filters=8, hidden=64, seed=0)
judge.compile(Adam(2e-3), steps_per_execution=PER_CALL)
judge.fit(stream, steps_per_epoch=CLASSIFIER_STEPS, verbose=0)


def agreement(digits, wanted):
    """Returns the fraction of images that the classifier assigns to the wanted class."""
    return np.mean(judge.classify(digits).argmax(axis=1) == wanted)


def variety(digits, wanted):
    """Returns the variance of the pixels within a class, averaged over classes and pixels."""
    groups = [digits[wanted == label] / 255 for label in np.unique(wanted)]
    return np.mean([group.var(axis=0).mean() for group in groups])


known_variety = variety(test, test_labels)
guided = {
    w: model.sample(N, seed=1, label=asked, guidance=w, steps=12, solver="dpm_solver")
    for w in WEIGHTS
}
print("           requested digit   variety   kernel distance x 1000")
sweep = {}
for w, digits in guided.items():
    sweep[w] = agreement(digits, asked), variety(digits, asked) / known_variety, distance(digits)
    print(f"w = {w:3.1f} {sweep[w][0]:18.1%} {sweep[w][1]:10.2f} {with_error(sweep[w][2]):>18}")
print(f"test    {agreement(test, test_labels):17.1%} {1:10.2f}")

# %%
rows = {f"w = {w:g}": digits[:10] for w, digits in guided.items()}
show(
    captioned(rows.values(), list(rows), list(map(str, range(10)))),
    "guided",
    "Guidance makes digits clearer, bolder, and more alike. Columns: requested digits, each with "
    "the same latent. Rows: guidance weights.",
)

# %%
drawn = new_figure(8.5, 3.4)
left, right = drawn.subplots(1, 2)
accuracies, varieties, found = zip(*sweep.values(), strict=True)
accuracies, found = np.array(accuracies), np.transpose(found)
left.plot(varieties, 100 * accuracies, color=BLUE, marker="o")
for w, (accuracy, amount, _) in sweep.items():
    left.annotate(
        f"w = {w:g}", (amount, 100 * accuracy), (5, 4), textcoords="offset points", fontsize=8
    )
left.margins(0.15)
left.set(xlabel="variety, relative to test digits", ylabel="% requested digit")
right.errorbar(list(sweep), found[0], found[1], color=ORANGE, marker="s", capsize=2)
right.set(xlabel="w", ylabel="kernel distance x 1000")
show(
    drawn,
    "sweep",
    "Guidance exchanges variety for agreement with the label. Left: both, for five weights. "
    "Right: the distance from test digits, with standard errors.",
)
best = min(sweep, key=lambda w: sweep[w][2][0])
first, last = sweep[WEIGHTS[0]], sweep[WEIGHTS[-1]]
print(f"the smallest distance is at w = {best:g}")
by_weight = {f"w = {w:g}": digits for w, digits in guided.items()}
for w in WEIGHTS:
    if w != best:
        compare(f"w = {best:g}", f"w = {w:g}", by_weight)
print(f"without guidance: {first[0]:.1%} requested digits, variety {first[1]:.2f}")
print(f"with w = {WEIGHTS[-1]:g}:     {last[0]:.1%} requested digits, variety {last[1]:.2f}")

# %% [markdown]
# A small weight makes more samples show the requested digit. With $w \geq 1$, the classifier
# recognizes more samples than *test digits*. This is no sign of quality: real digits include
# unusual ones, and guided samples do not. A large weight moves samples away from the test digits,
# because strokes become bold and samples become similar; these differences are several standard
# errors. Whether a small weight also brings samples *closer* to the test digits than no guidance is
# less certain: the printed difference is at most about two standard errors, and the best weight was
# chosen on the same test digits, so its distance is slightly too good. The published run in the
# table at the end, with more samples, shows the same order: among the weights 0, 1, 2, and 4, the
# distance is smallest at 1.
#
# **Which distribution is sampled?** At $t = 0$, the right side of equation 10 is the score of the
# sharpened density $p_w(x) \propto p(x)\, p(c \mid x)^{1 + w}$. It is tempting to conclude that
# guided samples have this density. They do not, because at $t > 0$, equation 10 is *not* the score
# of noised samples from $p_w$: noising and raising to a power do not commute. We check this on an
# example in which everything is known: two equally likely classes, $N(-1, 1)$ and $N(1, 1)$. Then
# all scores are exact, and the differential equation is solved with many steps from 2001 quantiles
# of the normal distribution, without random numbers or a network.

# %%
QUANTILES = norm.ppf((np.arange(2001) + 0.5) / 2001)


def guided_prediction(x_t, t, w):
    """Returns the guided example for the class with mean 1, for exact predictions."""
    alpha = PATH.alpha(t).numpy()
    # Given the class, E(x | x_t), because x_t has the variance alpha^2 + sigma^2 = 1.
    means = [mean + alpha * (x_t - alpha * mean) for mean in (1, -1)]
    right = 1 / (1 + np.exp(-2 * alpha * x_t))  # probability of the class with mean 1
    without = right * means[0] + (1 - right) * means[1]
    return (1 + w) * means[0] - w * without


line = np.linspace(-6, 12, 4001)
exact_steps = 40 if QUICK else 400
ends = {}
print("         guided samples: mean   std   sharpened density: mean   std")
for w in (0.0, 1.0, 4.0):
    x_t = QUANTILES
    for t, s in pairwise(tf.cast(PATH.times(exact_steps), tf.float64)):
        example = guided_prediction(x_t, t, w)
        ratio = PATH.sigma(s) / PATH.sigma(t)
        x_t = (ratio * x_t + (PATH.alpha(s) - ratio * PATH.alpha(t)) * example).numpy()
    density = norm.pdf(line, 1) * (1 + np.exp(-2 * line)) ** -w
    density /= density.sum() * (line[1] - line[0])
    mass = density * (line[1] - line[0])
    mean = np.sum(mass * line)
    deviation = np.sqrt(np.sum(mass * (line - mean) ** 2))
    ends[w] = x_t, density
    print(f"w = {w:3.1f} {x_t.mean():19.3f} {x_t.std():6.3f} {mean:22.3f} {deviation:7.3f}")

# %%
drawn = new_figure(9.5, 2.9)
for axes, (w, (points, density)) in zip(drawn.subplots(1, 3), ends.items(), strict=True):
    axes.hist(points, 60, density=True, color=ORANGE, alpha=0.6, label="guided samples")
    axes.plot(line, density, color=BLUE, label="sharpened density")
    axes.set(xlim=(-3, 6), ylim=(0, 0.75), title=f"w = {w:g}", xlabel="x", yticks=[])
axes.legend(fontsize=8)
show(
    drawn,
    "sharpened",
    "Guided samples do not follow the sharpened density. Without guidance, both agree; with "
    "guidance, samples move too far. Scores are exact.",
)

# %% [markdown]
# So guidance does not sample from a sharper model. It changes the sampler so that samples move away
# from other classes, further than they would under Bayes' rule.
#
# ## 7. Latent diffusion
#
# Most pixels of an image are predictable from their neighbors, but every sampling step computes all
# of them. **Latent diffusion** (Rombach et al. 2022) first trains an autoencoder, then trains a
# diffusion model on its codes, and finally decodes the samples. The autoencoder handles fine detail
# in one pass, and the diffusion model handles composition with fewer numbers. The decoder sets a
# limit: samples cannot have more detail than the reconstructions of real images.
#
# Here is the smallest example. The autoencoder is PCA with 24 components, scaled to variance 1, and
# the diffusion model is a network of dense layers. Training is so fast that we repeat it for each
# of the three predictions in section 2. The baseline is the simplest model of latents, independent
# normal numbers. The latents are not clipped, so errors remain visible. When
# the noise is predicted, the library warns that at its end, this path leaves too little of an
# example.


# %%
def to_latents(digits):
    return (digits - center) @ components[:, :LATENTS] / np.sqrt(variances[:LATENTS])


def from_latents(codes):
    digits = center + (codes * np.sqrt(variances[:LATENTS])) @ components[:, :LATENTS].T
    return model.restore(digits.reshape(-1, *SHAPE).astype("float32")).numpy()


codes = to_latents(flat).astype("float32")
decoded = {}
print("prediction   std of latents (true: 1)   kernel distance x 1000")
for prediction in ("noise", "example", "v"):
    keras.utils.set_random_seed(0)
    small = DDPM(
        time_mlp((LATENTS,), 8 if QUICK else 128, 3, frequencies=0),
        PATH,
        prediction=prediction,
        data="vectors",
        seed=0,
    )
    small.compile(Adam(CosineDecay(2e-3, LATENT_STEPS)), steps_per_execution=PER_CALL)
    small.fit(Source(codes).stream(128, 0), steps_per_epoch=LATENT_STEPS, verbose=0)
    points = small.sample(N, seed=1, steps=50)
    name = f"{prediction}, latent"
    decoded[name] = from_latents(points)
    deviation = np.sqrt(np.mean(points.astype("float64") ** 2))
    print(f"{prediction:10} {deviation:12.3f} {with_error(distance(decoded[name])):>31}")
decoded["normal latents"] = from_latents(random.normal(size=(N, LATENTS)))
decoded["decoded training digits"] = from_latents(to_latents(flat[:N]))
decoded["pixels, U-Net"] = guided[0.0]
decoded["Gaussian mixture"] = mixture_samples(images[:2000], N, seed=0)
for name in list(decoded)[3:]:
    print(f"{name:25} {with_error(distance(decoded[name])):>29}")
print()
compare("v, latent", "normal latents", decoded)
compare("v, latent", "decoded training digits", decoded)
compare("pixels, U-Net", "Gaussian mixture", decoded)

# %%
show(
    captioned([digits[:12] for digits in decoded.values()], list(decoded)),
    "latent",
    "Samples of latent diffusion, of its baseline, and of models of pixels. Rows: three predictions "
    "of latents; normal latents, without diffusion; the limit, decoded digits; models of pixels.",
)

# %% [markdown]
# Predicting the noise fails on this path. In the first step, the error of the predicted noise is
# divided by $\alpha(1)$, which is 0.00005, and latents are not clipped, so nothing corrects the
# result. With images, clipping to the range of pixel values hides this weakness. The path of the
# DDPM paper ends at $\alpha(1) \approx 0.006$, and its samplers clip.
#
# Compare the other rows with two limits. The decoded training digits and the samples of latents
# have the same blur, which comes from PCA, so no diffusion model can do better with these latents.
# Normally distributed latents have the mean and the covariance of the codes, so a diffusion model
# is useful only if it learns structure beyond mean and covariance. After a few seconds of training,
# it has learned part of this structure: its distance is about halfway between the two limits, and
# the errors are small on this scale. Its latents vary less than the true ones, by about a tenth, as
# the digits of the U-Net do without guidance (section 6). Some of its samples are still not
# legible.
#
# The last comparison is a warning. By the kernel distance, the U-Net on pixels is not
# distinguishable from a Gaussian mixture, which is fitted in seconds, and to the eye, the mixture's
# digits are at least as legible. In other runs of this chapter, the U-Net was slightly ahead. So a
# short training run does not show what diffusion models can do, and without this baseline, we would
# not have noticed. Longer training does not always help: in the table at the end, the diffusion
# model with eight minutes and the one on the codes of a VQ-VAE are still behind such a mixture. The
# latter is limited by its decoder, because reconstructed test images are nearly as far away (0.82).
#
# ## 8. EDM predicts v
#
# Karras et al. (2022) write a noisy example as $y = x + \sigma n$, with $n$ from $N(0, I)$ and any
# $\sigma > 0$. The data have the standard deviation $\sigma_d$. The denoiser is
#
# $$D(y, \sigma) = c_\mathrm{skip}\, y + c_\mathrm{out} F(c_\mathrm{in}\, y, \sigma), \tag{11}$$
#
# so the network $F$ has the target $(x - c_\mathrm{skip} y) / c_\mathrm{out}$, and with the weight
# $1 / c_\mathrm{out}^2$, the squared error of $D$ is the squared error of $F$. Three requirements
# fix the factors. The input has variance 1: $c_\mathrm{in}^2 = 1 / (\sigma^2 + \sigma_d^2)$. The
# target has variance 1, for data with mean 0: $c_\mathrm{out}^2 = (1 - c_\mathrm{skip})^2
# \sigma_d^2 + c_\mathrm{skip}^2 \sigma^2$. And errors of $F$ are amplified as little as possible:
# the derivative of $c_\mathrm{out}^2$ with respect to $c_\mathrm{skip}$ is 0 at
#
# $$c_\mathrm{skip} = \frac{\sigma_d^2}{\sigma^2 + \sigma_d^2}, \qquad
# c_\mathrm{out} = \frac{\sigma \sigma_d}{\sqrt{\sigma^2 + \sigma_d^2}}. \tag{12}$$
#
# Now let $\varphi$ be the angle with $\tan \varphi = \sigma / \sigma_d$. Then $c_\mathrm{skip} =
# \cos^2 \varphi$, $c_\mathrm{out} = \sigma_d \sin \varphi$, and $c_\mathrm{in} y = \cos \varphi\,
# (x / \sigma_d) + \sin \varphi\, n$, which is equation 1 for scaled data. The target becomes $\sin
# \varphi\, (x / \sigma_d) - \cos \varphi\, n$. This is $-v$. So EDM's network predicts $v$ with the
# sign reversed, and because its loss has the weight $1 / c_\mathrm{out}^2$, it is also the loss of
# $v$.
#
# EDM makes four more choices. The network's input for the noise level is $c_\mathrm{noise} =
# \frac14 \ln \sigma$. In training, $\ln \sigma$ is drawn from $N(-1.2, 1.2^2)$, because the loss
# can barely be reduced where the noise is very weak or very strong. In sampling, the noise levels
# are
#
# $$\sigma_i = \Big( \sigma_\mathrm{max}^{1/\rho} + \frac{i}{n - 1} \big(
# \sigma_\mathrm{min}^{1/\rho} \,-\, \sigma_\mathrm{max}^{1/\rho} \big) \Big)^\rho, \qquad i = 0,
# \ldots, n - 1, \qquad \sigma_n = 0,$$
#
# with $\rho = 7$, which makes steps short where the noise is weak. And each step is one of Heun's
# method. The paper's stochastic sampler also adds a little noise before each step and removes it
# again, which corrects earlier errors; the library has only the deterministic one.

# %%
centered = (prepared - prepared.mean()).astype("float64")
deviation = centered.std()
n = random.normal(size=centered.shape)
print("sigma   variance of the input   of the target   largest difference from -v")
for sigma in (0.02, 0.5, 80.0):
    y = centered + sigma * n
    total = sigma**2 + deviation**2
    c_skip, c_out = deviation**2 / total, sigma * deviation / np.sqrt(total)
    target = (centered - c_skip * y) / c_out
    cosine, sine = deviation / np.sqrt(total), sigma / np.sqrt(total)
    v = cosine * n - sine * centered / deviation
    worst = np.abs(target + v).max()
    print(f"{sigma:5.2f} {np.var(y) / total:19.3f} {np.var(target):17.3f} {worst:24.0e}")
levels = KarrasPath().times(18).numpy()
print("noise levels of 18 steps:", *(f"{level:.3g}" for level in levels))

# %% [markdown]
# The published run of [edm_fashion_mnist](../../recipes/edm_fashion_mnist.py) has a network of the
# same type, with twice as many channels, and was trained for 49 minutes on two cores. Its export
# is in `saved_models/edm_fashion_mnist` of a checkout, where `keras_gen.load` finds it by name.
# These are samples after 18 steps of Heun's method:
#
# ![Clothes sampled from EDM.](../../recipes/results/edm_fashion_mnist.png)
#
# In kernel distance, EDM beats a Gaussian mixture. In the distance between small patches, it does
# not: most outlines are right, but some are broken, and textures are not right.
#
# ## 9. Common claims, and what is true
#
# - **"Predicting the noise is better than predicting the example."** Perfect predictions are
#   equivalent. But the losses weight times differently, and converted errors are divided by
#   $\alpha$ or by $\sigma$ (section 2).
# - **"More sampling steps give better samples."** More steps solve the equation more accurately.
#   But samples stop improving when the error of the network dominates (section 5).
# - **"A second-order solver costs twice as much."** Heun's method does. DPM-Solver++ reuses the
#   previous prediction, and costs one evaluation per step, like DDIM.
# - **"Guidance samples from a density that is sharpened toward the class."** Equation 10 is the
#   score of such a density only at $t = 0$. With exact scores, samples have a different mean
#   (section 6).
# - **"Guidance improves samples."** It improves agreement with the label at the expense of
#   variety. Whether the distance from data falls depends on $w$ (section 6).
# - **"Latent diffusion samples are limited only by the diffusion model."** They are also limited
#   by the decoder: compare them with decoded digits (section 7).
#
# ## Questions
#
# **1.** Suppose that a path has $\alpha = 0$ exactly at $t = 1$. Which of the three predictions
# still determines the other two, and what does the best prediction of $v$ equal?
#
# <details markdown="1"><summary>Answer</summary>
#
# With $\alpha = 0$ and $\sigma = 1$, equation 1 gives $x_1 = \epsilon$, so the predicted noise
# contains no new information, and $x$ cannot be computed from it. A predicted $x$ determines the
# other two, and so does $v = -x$. The noise is independent of the example, so the best prediction
# of $v$ is $-E(x)$, minus the mean of the data.
#
# </details>
#
# **2.** The data consist of a single point $c$. How many evaluations do DDIM, DPM-Solver++, and
# pure Euler steps need for an exact sample?
#
# <details markdown="1"><summary>Answer</summary>
#
# The best prediction is $\hat x = c$ at every time. In equation 7, $\hat x$ is then constant, so a
# single step, with one evaluation, computes the integral exactly, both for DDIM and for
# DPM-Solver++, whose extrapolation adds 0. Pure Euler steps are never exact on the cosine path,
# because the velocity changes along the circle. At $t = 1$, $\alpha' = -\pi / 2$ and $\sigma' = 0$,
# so a single step from $\epsilon$ ends at $\epsilon + \frac{\pi}{2} c$, and with $n$ steps, an
# error of the order $1 / n$ remains. The library's Euler sampler returns $c$ even so, but only
# because its last step is not an Euler step: it returns $\hat x$ (section 5).
#
# </details>
#
# **3.** Change the code: guide with $w = -1$. What is sampled, and how do agreement and variety
# change? `sample` rejects negative weights, so sample with the label "none": `run =
# sampler("dpm_solver")`, then `model.restore(run(latents, np.full(N, CLASSES), PATH.times(12),
# seeds)).numpy()`.
#
# <details markdown="1"><summary>Answer</summary>
#
# Equation 10 becomes $\nabla \log q(x_t)$: the label has no effect, and samples are digits of any
# class. Agreement falls to about one in ten, the chance level, and the variance within a requested
# class becomes the variance over all samples. For real digits, this is clearly above 1 on the scale
# of the table, but the samples of this network vary less than digits, as at $w = 0$, so the value
# is only about 1.
#
# </details>
#
# **4.** With pen and paper: at $\alpha = 0.6$ and $\sigma = 0.8$, let $x_t = 1$ and $\hat v = 0.5$.
# Find $\hat x$, $\hat\epsilon$, and $x_s$ after a DDIM step to $\alpha_s = 0.8$ and
# $\sigma_s = 0.6$. Show that each DDIM step is $x_s = \cos \delta\, x_t - \sin \delta\, \hat v$,
# where $\delta$ is the difference of the angles. What is $x_s$ with DPM-Solver++, if the previous
# prediction was $\hat x_- = 0.1$ and both steps have the same length in $\lambda$?
#
# <details markdown="1"><summary>Answer</summary>
#
# Equation 3 gives $\hat x = 0.6 - 0.4 = 0.2$ and $\hat\epsilon = 0.8 + 0.3 = 1.1$, so
# $x_s = 0.8 \cdot 0.2 + 0.6 \cdot 1.1 = 0.82$. Inserting equation 3 into DDIM gives $x_s =
# (\alpha_s \alpha + \sigma_s \sigma) x_t - (\alpha_s \sigma - \sigma_s \alpha) \hat v$, where the
# parentheses are $\cos \delta = 0.96$ and $\sin \delta = 0.28$. Equation 8 gives
# $0.2 + 0.1 / 2 = 0.25$ instead of 0.2, so $x_s = 0.75 +
# (0.8 - 0.75 \cdot 0.6) \cdot 0.25 = 0.8375$.
#
# </details>
#
# **5.** With pen and paper: let all data be $N(0, 1)$ and the class $c$ be $N(0, s^2)$ with
# $s < 1$. Find the distribution of samples that are guided with exact predictions, and the
# sharpened density. Compare both for $s = 1/2$ and $w = 1$.
#
# <details markdown="1"><summary>Answer</summary>
#
# With $V = \alpha^2 s^2 + \sigma^2$, the velocity with the label is $V' x_t / (2 V)$ (section 5).
# Without the label, the variance is 1 at all times, so the velocity is 0. The guided velocity is
# therefore $(1 + w) V' x_t / (2 V)$, and $x_t$ is proportional to $V^{(1 + w) / 2}$. From $t = 1$
# to $t = 0$, $V$ falls from 1 to $s^2$, so samples are $N(0, s^{2 + 2 w})$. The sharpened density
# is $p(x) (p(x \mid c) / p(x))^{1 + w}$ times a constant, a normal density with variance
# $1 / ((1 + w) / s^2 - w)$. In the example, the class has the variance $1/4$, the sharpened density
# $1/7$, and guided samples $1/16$.
#
# </details>
#
# **6.** With pen and paper: what does the denoiser of equation 11 return for $\sigma \to 0$,
# $\sigma = \sigma_d$, and $\sigma \to \infty$? Which target does $F$ have at the two ends, and by
# which factor are its errors multiplied?
#
# <details markdown="1"><summary>Answer</summary>
#
# For $\sigma \to 0$, $c_\mathrm{skip} \to 1$ and $c_\mathrm{out} \to 0$, so $D = y$, which is
# nearly the example. The target of $F$ is $-n$, and its errors are multiplied by nearly $\sigma$.
# At $\sigma = \sigma_d$, $D = y / 2 + \sigma_d F / \sqrt 2$. For $\sigma \to \infty$,
# $c_\mathrm{skip} \to 0$ and $c_\mathrm{out} \to \sigma_d$, so $D = \sigma_d F$. The target is
# $x / \sigma_d$, and errors are multiplied by $\sigma_d$. So predicting $v$ changes from predicting
# the noise to predicting the example, each where it is safe.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | classifier-free guidance | `ConditionalDDPM` | [guided_ddpm_mnist](../../recipes/guided_ddpm_mnist.py) | kernel distance within classes 0.1180; Gaussian mixture per class 0.2550 | [Ho, Salimans 2022](https://arxiv.org/abs/2207.12598) |
# | design of diffusion models | `EDM` | [edm_fashion_mnist](../../recipes/edm_fashion_mnist.py) | kernel distance 0.03239; Gaussian mixture 0.1358 | [Karras et al. 2022](https://arxiv.org/abs/2206.00364) |
# | prediction of $v$, few steps | `DDPM` | [ddpm_fashion_mnist](../../recipes/ddpm_fashion_mnist.py) | kernel distance 0.05121, with 10 steps 0.09437; Gaussian mixture 0.1349 | [Ho et al. 2020](https://arxiv.org/abs/2006.11239) |
# | diffusion on codes of a VQ-VAE | `LatentDiffusion` | [latent_diffusion_fashion_mnist](../../recipes/latent_diffusion_fashion_mnist.py) | kernel distance 0.9549; Gaussian mixture 0.1370 | [Rombach et al. 2022](https://arxiv.org/abs/2112.10752) |
# | all families, eight minutes each | `DDPM`, `GAN`, `VAE` | [families_fashion_mnist](../../recipes/families_fashion_mnist.py) | kernel distance, DDPM 0.4244, GAN 0.04974; Gaussian mixture 0.1358 | [Ho et al. 2020](https://arxiv.org/abs/2006.11239) |
