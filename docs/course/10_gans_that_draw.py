# %% [markdown]
# # 10. GANs for images
#
# [Chapter 9](09_gans.md) was about the game. This chapter is about images: how the networks are
# built, how to request a class, how to constrain the discriminator, how latents can be used, and
# how samples are evaluated without a likelihood. The last topic comes with a warning. Every metric
# fails to detect some defects, and we show which.
#
# After this chapter, you can explain the reason for each DCGAN guideline, write the step of a
# conditional GAN, bound the slope of a discriminator, compute Fréchet and kernel distances,
# precision, and recall, truncate latents, invert a generator, and mix styles.
#
# We train a small GAN and load larger GANs: exports of `keras_gen` recipes that were trained for 11
# to 33 minutes. With `QUICK=1` in the environment, the chapter runs in seconds, with fewer images
# and steps, and with untrained networks instead of the exports.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.layers import Conv2D, Conv2DTranspose
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.ndimage import gaussian_filter
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import keras_gen
from keras_gen import GAN, VAE, Autoencoder, ConditionalGAN, StyleGAN
from keras_gen.core import GenerativeModel, Player
from keras_gen.core.kinds_of_data import Images, Labels
from keras_gen.data import Source, small_images
from keras_gen.layers import SpectralNormalization
from keras_gen.losses import Normal
from keras_gen.metrics import (
    frechet_distance,
    gradient_histograms,
    kernel_distance,
    mesh,
    moments,
    nearest_neighbors,
    prdc,
)
from keras_gen.networks import (
    dcgan_discriminator,
    dcgan_generator,
    mlp_decoder,
    mlp_encoder,
    mlp_networks,
    start_at_mean,
    with_labels,
)
from keras_gen.workshop.baselines.mixtures import mixture_samples
from keras_gen.workshop.visualize import captioned, line_plot, new_figure, show, style_mixing

QUICK = bool(os.environ.get("QUICK"))
TRAIN = 200 if QUICK else 20_000  # maximum number of training images
KNOWN = 100 if QUICK else 5_000  # number of these to which samples are compared
N = 40 if QUICK else 1_000  # images in each evaluated set
FILTERS = 1 if QUICK else 12  # for our GAN
STEPS = 1 if QUICK else 900  # for its training
DENSE_EPOCHS = 1 if QUICK else 5  # for a dense autoencoder and a dense VAE
DENSE_STEPS = 2 if QUICK else 6_000  # for a dense GAN
LABELED = 100 if QUICK else 1_000  # images for linear classifiers of features
FIT_STEPS = 2 if QUICK else 400  # for the search for latents
CLUSTERS = 2 if QUICK else 80  # for the mixture

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# The data are the clothes of Fashion-MNIST, in ten classes. They are padded with a black margin of
# two pixels, because the networks halve and double the side length: 32, 16, 8, 4.


# %%
def framed(images):
    return np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)])


SHAPE = (32, 32, 1)
CLASSES = 10
data = small_images("fashion_mnist", labels=True, first=TRAIN)
print(data.warning or "the clothes of Fashion-MNIST")
images, labels = data.train.take(TRAIN).arrays()
test, test_labels = data.test.take(2 * N).arrays()
images, test = framed(images), framed(test)
print("training images", images.shape, "and test images", test.shape)


def pretrained(name, build):
    """Returns an exported model; with QUICK, a small untrained model takes its place."""
    return build() if QUICK else keras_gen.load(name)


# %% [markdown]
# ## 1. The guidelines of DCGAN
#
# Radford et al. (2016) tried many networks and gave guidelines for those that trained stably. The
# guidelines and their reasons:
#
# - **No pooling.** The generator doubles the side length with transposed convolutions of stride 2,
#   and the discriminator halves it with convolutions of stride 2. So both networks learn how to
#   resample.
# - **Batch normalization**, except at the generator's output and the discriminator's input, where
#   brightness matters. This normalization keeps the maps of a deep generator from vanishing or
#   exploding. Section 2 shows its disadvantages.
# - **ReLU** in the generator with **tanh** at its output, because images are in $[-1, 1]$. **Leaky
#   ReLU** in the discriminator: where it rejects an image, it must still have a slope, because
#   otherwise the generator does not learn.
# - **No hidden dense layers.** The generator has one dense layer, which maps the latents to its
#   first maps, and the discriminator has one at its output. All other layers are convolutions,
#   which need far fewer weights.
# - **Adam** with learning rate 0.0002 and $\beta_1 = 0.5$. The game rotates (chapter 9), so a long
#   average over old gradients points in the wrong direction.
#
# These are reasons, not evidence. Our own ablation on clothes, `dcgan_guidelines_fashion_mnist`,
# confirms them only in part. With one short training run per network, all guidelines together have
# a kernel distance of 0.23. Dropping the tanh, the batch normalization, or the ReLU, or adding
# hidden dense layers, makes it worse, and dropping the leaky ReLU barely changes it. But with
# *pooling* in place of strides, the distance is 0.06, at more than twice the cost, and this is the
# only one of the networks that is better than a Gaussian mixture (0.14).
#
# One detail is easily overlooked. A transposed convolution with kernel size $k$ and stride $s$
# places a copy of its kernel, multiplied by a pixel's value, at every $s$-th position, and sums the
# copies. How many copies overlap at an output position? Along one axis, copies of length $k$ start
# at the positions $0, s, 2s, \ldots$. If $s$ divides $k$, the number is $k / s$ everywhere. If not,
# it alternates between the integers around $k / s$, with period $s$. In two dimensions, the numbers
# for the two axes are multiplied. Where more copies overlap, the output is initially larger, which
# results in a **checkerboard pattern** (Odena et al. 2016).


# %%
def copies(kernel, stride=2, size=6):
    """Returns how many kernel copies overlap at each position along one axis."""
    counts = np.zeros(stride * (size - 1) + kernel, int)
    for place in range(size):
        counts[stride * place : stride * place + kernel] += 1
    return counts


drawn = new_figure(9, 3.2)
for axes, kernel in zip(drawn.subplots(1, 3), (3, 4, 5), strict=True):
    layer = Conv2DTranspose(1, kernel, strides=2, kernel_initializer="ones")
    made = layer(tf.ones((1, 6, 6, 1)))[0, ..., 0].numpy()
    counted = np.outer(copies(kernel), copies(kernel))
    inner = made[4:-4, 4:-4]
    print(
        f"kernel {kernel}: copies inside {sorted(set(inner.ravel().astype(int).tolist()))},"
        f" layer less count {np.abs(made - counted).max():.0f}"
    )
    axes.imshow(made, cmap="gray", vmin=0)
    axes.set(
        title=f"kernel {kernel}, stride 2", xlabel="column", ylabel="row", xticks=[], yticks=[]
    )
show(
    drawn,
    "checkerboard",
    "Number of kernel copies that overlap at each pixel (brighter: more). Only size 4 is even inside.",
)
generator = dcgan_generator(SHAPE, 64, FILTERS)
sides = [layer.kernel_size for layer in generator.layers if isinstance(layer, Conv2DTranspose)]
print("kernels of the library's generator:", sides)

# %% [markdown]
# **Sizes.** How large is the output of a convolution? A kernel with $k$ entries and dilation $d$
# spans $d (k - 1) + 1$ pixels. With $p$ pixels of padding on each side, it fits at $i + 2 p - d (k - 1)$
# positions of an input with $i$ pixels, of which a stride of $s$ uses every $s$-th:
#
# $$o = \left\lfloor \frac{i + 2 p - d (k - 1) - 1}{s} \right\rfloor + 1.$$
#
# A transposed convolution goes back from $o$ to $i$. If $s > 1$, several sizes $i$ have the same
# $o$. Without further arguments, the result is the smallest of them:
#
# $$i = s (o - 1) + d (k - 1) + 1 - 2 p.$$
#
# The argument `output_padding` adds up to $s - 1$ pixels.

# %%
drawn = new_figure(10, 3.3)
cases = [(5, 3, 0, 1, 1), (5, 3, 1, 1, 1), (5, 3, 1, 2, 1), (7, 3, 0, 1, 2)]
for axes, (i, k, p, s, d) in zip(drawn.subplots(1, 4), cases, strict=True):
    o = (i + 2 * p - d * (k - 1) - 1) // s + 1
    padded = tf.pad(tf.ones((1, i, i, 1)), [(0, 0), (p, p), (p, p), (0, 0)])
    measured = Conv2D(1, k, strides=s, dilation_rate=d)(padded).shape[1]
    print(
        f"input {i}, kernel {k}, padding {p}, stride {s}, dilation {d}: output {o}, {measured}"
    )
    cells = np.full((i + 2 * p, i + 2 * p), 1.0)  # white padding
    cells[p : p + i, p : p + i] = 0.8
    cells[: d * k : d, : d * k : d] -= 0.35  # the first position of the kernel
    axes.pcolormesh(cells, cmap="gray", vmin=0, vmax=1, edgecolors="black", linewidth=0.5)
    centers = (d * (k - 1) + 1) / 2 + s * np.arange(o)
    axes.scatter(*np.meshgrid(centers, centers), s=18, color="#E69F00", edgecolors="black")
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.set_title(f"padding {p}, stride {s},\ndilation {d}: {i} to {o}")
    axes.invert_yaxis()
show(
    drawn,
    "arithmetic",
    "Padding, stride, and dilation determine the output's size. Light gray: input; dark: first"
    " position of a 3 x 3 kernel; dots: its centers, one for each output.",
)

# %% [markdown]
# With a stride of 2, use kernels of size 4. But an equal number of copies is only a good starting
# point. Neighboring output pixels depend on different kernel entries: there are four sets of
# entries, for even and odd rows and columns. If training makes the sets unequal, a grid appears
# anyway, as we will see.
#
# ## 2. A class-conditional GAN
#
# Give both players the class $y$ (Mirza and Osindero 2014). The value from chapter 9 becomes
#
# $$V(D, G) = E_{x, y \sim p} [ \log D(x, y) ] + E_{y, z} [ \log (1 - D(G(z, y), y)) ].$$
#
# For each $y$ separately, this is the game of chapter 9. So the best discriminator is $D^*(x, y) =
# p(x \mid y) / (p(x \mid y) + q(x \mid y))$, and the only equilibrium of optimal players is $q(x
# \mid y) = p(x \mid y)$: the correct images, *for each class*. The only change in the step below is
# that labels are passed to both networks. Generated images get the labels of the batch.
#
# ![The generator turns 32 latents and a class into maps of sizes 4 × 4, 8 × 8, 16 × 16, and 32 × 32. The discriminator turns an image and a class back into maps of sizes 16 × 16, 8 × 8, and 4 × 4, and one number.](diagrams/10_dcgan.svg)
#
# *The networks below. Top: the generator. Bottom: the discriminator, which receives real or generated images. Blue boxes show the sizes of maps.*


# %%
class PlainConditionalGAN(GenerativeModel):
    """Maps latents and labels to images, and images and labels to logits."""

    totals = ("d_loss", "g_loss")
    batch = ("x", "labels")

    def __init__(self, generator, discriminator, latent_dim, **kwargs):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = latent_dim
        self.edges["x"] = Images(SHAPE)  # uint8 becomes [-1, 1]
        self.edges["labels"] = Labels(CLASSES)

    def players(self):
        return {
            "d_optimizer": Player([self.discriminator]),
            "g_optimizer": Player([self.generator]),
        }

    def train_step(self, data):
        batch = self.prepare_batch(data)
        x, labels = batch["x"], batch["labels"]

        def drawn(use):
            z = self.normal(use, [tf.shape(x)[0], self.latent_dim])
            return self.generator([z, labels], training=True)

        fake = drawn("first")

        def discriminator_loss():
            real_logits = self.discriminator([x, labels], training=True)
            fake_logits = self.discriminator([fake, labels], training=True)
            return tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits)

        d_loss = self.minimize(discriminator_loss, "d_optimizer")

        def generator_loss():
            return tf.nn.softplus(-self.discriminator([drawn("second"), labels], training=True))

        g_loss = self.minimize(generator_loss, "g_optimizer")
        return self.report(d_loss=d_loss, g_loss=g_loss)


LATENTS = 32
generator = with_labels(dcgan_generator(SHAPE, LATENTS + CLASSES, FILTERS), CLASSES)
discriminator = with_labels(dcgan_discriminator((32, 32, 1 + CLASSES), FILTERS), CLASSES)
plain = PlainConditionalGAN(generator, discriminator, LATENTS)
plain.compile(
    d_optimizer=Adam(5e-4, 0.5),
    g_optimizer=Adam(1e-3, 0.5),
    steps_per_execution=1 if QUICK else 50,
    run_eagerly=QUICK,
)
stream = Source((images, labels), origin="clothes").stream(32, 0)
parts = min(3, STEPS)
history = plain.fit(stream, steps_per_epoch=STEPS // parts, epochs=parts, verbose=0).history
for name in ("d_loss", "g_loss"):
    print(name, "of each third:", ", ".join(f"{value:.2f}" for value in history[name]))

# %% [markdown]
# The class `ConditionalGAN` has the same step and adds sampling, checks, penalties, and saving. It
# accepts the trained networks. Do samples show the requested class? To find out, we need a
# classifier, which makes errors itself, so we also print its accuracy on test images. Ours is
# linear, on **histograms of gradients**: the frequencies of edge directions in 4 × 4 cells of the
# image. These features are not learned from images. Section 4 also uses them.

# %%
conditional = ConditionalGAN(generator, discriminator, CLASSES)
asked = np.arange(N) % CLASSES
ours = conditional.sample(N, seed=1, label=asked)
train_features = gradient_histograms(images[:KNOWN])
test_features = gradient_histograms(test)
judge = LinearDiscriminantAnalysis().fit(train_features, labels[:KNOWN])
seen = judge.predict(gradient_histograms(ours))
print(f"test images whose class is seen  {judge.score(test_features, test_labels):.1%}")
print(f"samples whose class is seen      {np.mean(seen == asked):.1%}")
of_mixtures = []
for each in range(CLASSES):
    clothes = images[:KNOWN][labels[:KNOWN] == each]
    made = mixture_samples(clothes, N // CLASSES, clusters=1 + len(clothes) // 60)
    of_mixtures.append(np.mean(judge.predict(gradient_histograms(made)) == each))
print(f"samples of mixtures of Gaussians, one for each class: {np.mean(of_mixtures):.1%}")
for period in (2, 4):
    grids = f"test images {mesh(test, period):.1f}, samples {mesh(ours, period):.1f}"
    print(f"power of a grid of period {period}, relative to the frequencies around: {grids}")
NAMES = ["T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag"]
NAMES += ["boot"]
show(
    captioned([ours[asked == each][:7] for each in range(CLASSES)], NAMES),
    "classes",
    "Samples of each class, by our small conditional GAN.",
)

# %% [markdown]
# Longer training would help: after so few steps, Gaussian mixtures per class are far better. And
# the grid of section 1 is visible, although the kernels have size 4. To improve class agreement,
# give the discriminator a second task, predicting the class, with an *auxiliary classifier* (Odena
# et al. 2017; `ACGAN`). The fraction of samples that show another class is the *class leakage*. In
# published runs on digits, 99.9% of the samples showed the requested class, compared with 94.2% for
# the conditional GAN. The **projection discriminator** (Miyato and Koyama 2018) uses the form of
# the best logit, $\log \frac{p(y \mid x)}{q(y \mid x)} + \log \frac{p(x)}{q(x)}$. If both class probabilities
# are softmax functions of features $\phi(x)$, the first part is $v_y \cdot \phi(x)$ plus a term
# without $y$, so the logit is $v_y \cdot \phi(x) + \psi(\phi(x))$ with one vector $v_y$ per class.
# BigGAN uses this form.
#
# **Classes without labels.** InfoGAN (Chen et al. 2016) gives the generator a code $c$, such as a
# category and two numbers, and should not be able to ignore it. So it maximizes the mutual
# information $I(c, x) = H(c) - H(c \mid x)$ between the code and the image $x = G(z, c)$. The
# posterior $p(c \mid x)$ is unknown, but for every distribution $r(c \mid x)$,
#
# $$I(c, x) = H(c) + E \log p(c \mid x) = H(c) + E \log r(c \mid x) +
# E_x \mathrm{KL}(p(c \mid x), r(c \mid x)) \ge H(c) + E \log r(c \mid x).$$
#
# The bound is trained like a classifier: a head of the discriminator predicts the code of each
# generated image, and $G$ helps it. In our published runs, categories become digits, although not one
# to one, and the numbers change the thickness and the slant of strokes. Without the bound, the same
# network ignores the category: [all rows show the same
# digits](../../recipes/results/info_gan_ablation_mnist_without.png), whereas [with it, each row shows
# one digit](../../recipes/results/info_gan_ablation_mnist.png).
#
# ![Rows of digits, one category per row. From left to right, strokes become thinner in the left half, and the slant or the shape changes in the right half.](../pictures/info_gan.png)
#
# *InfoGAN's two numbers control thickness (left) and slant (right), without labels. Six of ten categories, over the range of the numbers in training.*
#
# **A side effect of batch normalization.** In training, each map is normalized with the mean and
# variance of the *batch*. So a sample depends on the rest of the batch. If all samples in a batch
# have the same class, these statistics reveal the class. We generate the same latents with the same
# label 0 in two contexts: among all classes, and among samples of the same class. At inference,
# moving averages replace the batch statistics, so the context does not matter.

# %%
z = random.normal(size=(64, LATENTS)).astype("float32")
mixed = np.arange(64) % CLASSES
alone = np.zeros(64, int)
where = mixed == 0
before = [variable.numpy() for variable in generator.non_trainable_variables]
pictures = {}
for training in (True, False):
    pair = [generator([z, each], training=training).numpy()[where] for each in (mixed, alone)]
    change = np.abs(pair[0] - pair[1]).mean() * 127.5
    print(
        f"training={training!s:5}: T-shirts change by {change:.1f} of 255 levels with the company"
    )
    pictures[training] = pair
for variable, value in zip(generator.non_trainable_variables, before, strict=True):
    variable.assign(value)


def as_uint8(x):
    return np.clip(np.rint(127.5 * (x + 1)), 0, 255).astype("uint8")


show(
    captioned(
        [as_uint8(each) for each in (*pictures[True], pictures[False][0])],
        ["batch of all classes", "batch of T-shirts", "at inference"],
    ),
    "company",
    "The same latents and label, with the statistics of two batches, and with moving averages.",
)

# %% [markdown]
# In the *discriminator*, this effect is worse. Real and generated batches have different
# statistics, so the discriminator can distinguish the batches without looking at any single image.
# In training mode, a generator that is asked for a batch of one class generates images unlike those
# that it was trained to generate. And penalties on each image's slope are incompatible with batch
# normalization. That is why later GANs normalize the discriminator differently.
#
# ## 3. Spectral normalization
#
# Chapter 9 limited the slope of $D$ with penalties. Miyato et al. (2018) build the limit into the
# network. A dense layer $x \to W x$, with one row of the matrix $W$ per output, stretches a
# difference between inputs by at most its largest singular value $\sigma(W)$. ReLU and leaky ReLU
# do not stretch differences. A chain of layers stretches differences at most by the product of
# these values. So if each $W$ is divided by $\sigma(W)$, the slope of $D$ is at most 1.
#
# **Power iteration** finds $\sigma$. Start with a random $u$ and repeat $v = W u / |W u|$, $u = W^T
# v / |W^T v|$. Expand $u$ in the right singular vectors. Each round multiplies the $i$-th component
# by $\sigma_i^2$, so relative to the first component, the other components shrink by $(\sigma_i /
# \sigma_1)^2$. The estimate is $|W u|$, and its relative error falls like $(\sigma_2 /
# \sigma_1)^{4t}$, because this error is quadratic in the other components. In training, one round
# per step is enough, because $W$ changes slowly, and $u$ is kept between steps.

# %%
W = random.normal(size=(64, 64))
values = np.linalg.svd(W, compute_uv=False)
u = random.normal(size=64)
errors = []
for _ in range(100):
    v = W @ u / np.linalg.norm(W @ u)
    u = W.T @ v / np.linalg.norm(W.T @ v)
    errors.append(1 - np.linalg.norm(W @ u) / values[0])
rate = (values[1] / values[0]) ** 4
print(f"error after 90 and 100 rounds {errors[89]:.1e} and {errors[99]:.1e}", end=", ")
print(f"ratio {(errors[99] / errors[89]) ** 0.1:.3f} per round, (s2 / s1)^4 {rate:.3f}")

layer = SpectralNormalization(Conv2D(16, 3, use_bias=False), iterations=200)
layer(tf.zeros((1, 8, 8, 8)), training=True)
kernel = layer.layer.kernel.numpy()  # [3, 3, 8, 16]
kernel /= np.linalg.svd(kernel.reshape(-1, 16), compute_uv=False)[0]
bumps = tf.eye(8, batch_shape=(1, 8))[..., :8]
error = np.abs(layer(bumps) - tf.nn.conv2d(bumps, kernel, 1, "VALID")).max()
print(f"difference from a kernel divided by its largest singular value: {error:.0e}")

# %% [markdown]
# **A common claim** is that each convolution now also has a slope of at most 1. This is not true.
# The kernel is normalized after reshaping to a matrix with $k \cdot k \cdot c$ rows. The
# convolution is a larger linear map, in which this matrix appears at every position. If the image
# wraps around at its borders, the singular values of this map are known: for each frequency
# $\omega$, they are the singular values of the small matrix $\sum_{a, b} K_{ab} e^{-i (\omega_1 a +
# \omega_2 b)}$ (Sedghi et al. 2019), where $K_{ab}$ is the matrix of input by output channels at
# position $(a, b)$ of the kernel.
#
# How large can the slope be? Let $R$ be the reshaped kernel. The output at a position is $R^T$
# times the window $w$ of $k \times k$ pixels around it, so its squared length is at most
# $\sigma(R)^2 |w|^2$. Sum over all positions. With stride 1, each pixel is in $k^2$ windows, so the
# sum of all $|w|^2$ is $k^2 |x|^2$. The output's length is at most $k \, \sigma(R) \, |x|$, and the
# slope of the convolution is at most $k$ times the slope of its reshaped kernel. With stride $s$, if
# $s$ divides $k$, each pixel is in $(k / s)^2$ windows, and the factor is $k / s$: 2 for kernels of
# size 4 with stride 2. We measure the ratio with stride 1, for a random kernel and for a kernel that
# is constant over all nine positions.


# %%
def slope_of_convolution(kernel, side=16):
    """Returns the largest singular value of a circular convolution on side x side."""
    by_frequency = np.fft.fft2(kernel, s=(side, side), axes=(0, 1))  # [side, side, in, out]
    return np.linalg.svd(by_frequency, compute_uv=False).max()


smooth = np.ones((3, 3, 1, 1)) * random.normal(size=(1, 1, 8, 16))
for name, each in (("random 3x3 kernel", kernel), ("smooth 3x3 kernel", smooth)):
    each = each / np.linalg.svd(each.reshape(-1, 16), compute_uv=False)[0]
    print(f"{name}: reshaped 1, convolution {slope_of_convolution(each):.2f}, bound 3")

# %% [markdown]
# So spectral normalization bounds the slope, with a constant that grows with the kernel size. In
# practice, it keeps all layers at the same scale.
#
# **The hinge loss** is usually combined with spectral normalization (Miyato et al. 2018), as in
# BigGAN. With logits $l$, the discriminator minimizes
#
# $$E_{x \sim p} \max(0, 1 - l(x)) + E_{x \sim q} \max(0, 1 + l(x)),$$
#
# and the generator minimizes $-E_{x \sim q}\, l(x)$. An example whose logit is beyond the margin, above
# 1 if it is real or below -1 if it is generated, has no slope, so the discriminator spends its
# updates on examples that it does not yet separate. Without the margin, this is the loss of a
# Wasserstein critic (chapter 9). The gradient penalty of WGAN-GP, $(|\partial l / \partial x| - 1)^2$
# at points $\epsilon x + (1 - \epsilon)\, G(z)$ with $\epsilon$ uniform in $[0, 1]$, controls the slope
# of such a critic only at these points, whereas spectral normalization bounds it everywhere.
#
# ## 4. How samples are evaluated
#
# Without a likelihood, we compare two *sets*, samples and test images, in the features of a network
# or, here, in histograms of gradients.
#
# **Fréchet distance.** Fit a normal distribution to each set of features, and compute the distance
# between the two distributions (Heusel et al. 2017; called FID with features from an Inception
# network):
#
# $$d^2 = |m_a - m_b|^2 + \mathrm{tr} \left( C_a + C_b - 2 (C_a C_b)^{1/2} \right).$$
#
# In one dimension, this is $(m_a - m_b)^2 + (\sigma_a - \sigma_b)^2$. The distance is estimated
# from $n$ images, and the estimate is *biased*: two halves of one set have different sample means,
# so the first term alone is $\mathrm{tr}(C) (1/n + 1/n)$ on average, and errors in the covariances
# add to it.
#
# **Kernel distance** (Binkowski et al. 2018). With a kernel $k(a, b) = (a \cdot b / d + 1)^3$:
#
# $$E k(a, a') + E k(b, b') - 2 E k(a, b).$$
#
# It is the squared distance between the means of both sets in the space of the kernel; here $d$ is
# the number of features. Means over *pairs* $a \ne a'$ are unbiased estimates. So for two halves of
# one set, the average is 0 for any $n$, and negative values also occur. We compute both distances
# between two parts of the training set. Values after ± here and below are jackknife standard
# errors, which measure how the estimate changes when single images are left out.

# %%
one = frechet_distance(np.array([[0.0], [2.0]]), np.array([[3.0], [9.0]]))["distance"]
print(f"one dimension: {one:.3f}, formula {(6 - 1) ** 2 + (6 / 2**0.5 - 2**0.5) ** 2:.3f}")

sizes = [20, 40] if QUICK else [100, 200, 500, 1000, 2000]
spread = np.trace(moments(train_features).covariance)
whole, means, kernels = [], [], []
for n in sizes:
    order = random.permutation(len(train_features))
    a, b = train_features[order[:n]], train_features[order[n : 2 * n]]
    whole.append(frechet_distance(a, b)["distance"])
    means.append(spread * 2 / n)
    kernels.append(kernel_distance(a, b, subset_size=n))
    print(
        f"n = {n:4}: Fréchet {whole[-1]:6.2f}, of it means by formula {means[-1]:5.2f};"
        f" kernel {kernels[-1][0]:8.4f} ± {kernels[-1][1]:.4f}"
    )
drawn = new_figure(10, 3.8)
left, right = drawn.subplots(1, 2)
left.plot(sizes, whole, marker="o", label="Fréchet distance")
left.plot(sizes, means, marker="o", label="2 tr(C) / n, the part of the means")
left.set(xscale="log", yscale="log", xlabel="images in each set, n", ylabel="distance")
left.legend()
right.errorbar(sizes, *np.transpose(kernels), marker="o")
right.axhline(0, color="gray", linestyle="--")
right.set(xscale="log", xlabel="images in each set, n", ylabel="kernel distance")
show(
    drawn,
    "bias",
    "Two parts of one training set. The Fréchet distance depends on n; the kernel distance does"
    " not.",
)

# %% [markdown]
# The true value is 0 in both plots. Here, most of the Fréchet distance comes from the covariances,
# which have many more entries than the means. **Never compare Fréchet distances for different
# $n$.**
#
# **Precision and recall** (Kynkäänniemi et al. 2019). Draw a ball around each real image that
# extends to the image's fifth-nearest neighbor. *Precision* is the fraction of samples inside any
# of these balls: are the samples good? Then draw balls around the samples. *Recall* is the fraction
# of real images inside any of these balls: are all real images covered?
#
# We evaluate samples from four GANs and a simple baseline, a **Gaussian mixture** on pixels
# (Richardson and Weiss 2018). We also evaluate sets that should *fail*: test images of only five
# classes, blurred images, negatives (black and white exchanged), and exact copies of training
# images. The last column is the median distance, in pixels, to the nearest of 5,000 training
# images, divided by the same median for test images.

# %%
others, others_labels = test[N:], test_labels[N:]
reference, reference_labels = test_features[:N], test_labels[:N]
half = others[others_labels < 5]
sets = {
    "other test images": others,
    "copies of training images": images[:N],
    "test images, negative": 255 - others,
    "test images, blurred": gaussian_filter(others, (0, 1, 1, 0)),
    "five classes of test images": half[random.integers(len(half), size=len(others))],
    "mixture of Gaussians": mixture_samples(images[:KNOWN], N, clusters=CLUSTERS),
    "our conditional GAN": ours,
}
dcgan = pretrained("dcgan_fashion_mnist", lambda: GAN.for_images(SHAPE, 100, FILTERS))
style_gan = pretrained("style_gan_fashion_mnist", lambda: StyleGAN.for_images(SHAPE, 8, 4, 64))
sets["DCGAN, 11 minutes"] = dcgan.sample(N, seed=1)
sets["StyleGAN, 33 minutes"] = style_gan.sample(N, seed=1)
if not QUICK:
    big_gan = pretrained("big_gan_fashion_mnist", lambda: GAN.for_images(SHAPE, 100, FILTERS))
    sets["BigGAN, 33 minutes"] = big_gan.sample(N, seed=1)


def to_training(made):
    near, _ = nearest_neighbors(made.reshape(len(made), -1), images[:KNOWN].reshape(KNOWN, -1))
    return np.median(near)


usual = to_training(others)
print("                              Fréchet   kernel x 1000   precision   recall   nearest")
for name, made in sets.items():
    features = gradient_histograms(made)
    distance, error = kernel_distance(reference, features)
    found = prdc(reference, features)
    print(
        f"{name:28} {frechet_distance(reference, features)['distance']:8.1f}"
        f" {1000 * distance:10.1f} ± {1000 * error:3.1f} {found['precision']:9.2f}"
        f" {found['recall']:9.2f} {to_training(made) / usual:9.2f}"
    )

# %%
show(
    captioned([made[:10] for made in sets.values()], list(sets)),
    "sets",
    "The first images of the sets in the table.",
)

# %% [markdown]
# Read the rows from top to bottom.
#
# - **Other test images** are the reference: they have the same distribution as the test images.
#   Even so, their precision is only 0.91, and their recall is only 0.89.
# - **Copies** of training images are perfect according to all metrics except the last. No distance
#   between sets can detect where samples come from.
# - **Negatives** are also perfect according to these metrics: their gradients point in the opposite
#   direction, and the histograms ignore the sign. A feature that maps many images to the same value
#   cannot detect changes among these images. Only the last column detects the negatives.
# - **Blur** lowers precision, and **missing classes** lower recall. The two metrics are designed
#   for this purpose.
# - The **mixture** has a *higher* precision than test images: its samples are in the middle of the
#   data, where balls are dense. It is far behind test images in recall and in both distances. But
#   it is not a weak baseline: it beats BigGAN in Fréchet distance (slightly), precision, and
#   recall, though not in kernel distance.
# - Of the three large GANs, **DCGAN** is best in both distances and in recall, but has the lowest
#   precision. **BigGAN** has the best precision and the worst recall. Neither a single metric nor a
#   single type of features is enough to rank them. Here, StyleGAN and BigGAN are about equal in
#   kernel distance, and StyleGAN is better in Fréchet distance. In the features of trained
#   classifiers, BigGAN has less than half of StyleGAN's kernel distance (see the table at the end).
# - Our small GAN is worse than the mixture in all four metrics. Its recall is the lowest of all
#   rows.
#
# **Few training images.** If $D$ memorizes a small training set, $G$ learns nothing. Differentiable
# augmentation (Zhao et al. 2020) applies the same random changes $T$, such as shifts and missing
# squares, to real and generated images before $D$ sees them. $G$ is trained through $T$, and for
# changes that can be undone in distribution, $T(x)$ has the right distribution only if $x$ does.
#
# Does a GAN copy? The median shows that most samples are not copies *of the 5,000 images searched*:
# samples are about as far from these images as test images are. A few copies do not change a
# median, and 55,000 of the large GANs' training images were not searched.
#
# ### An autoencoder, a VAE, and GANs side by side
#
# Lectures summarize the families like this: an autoencoder encodes but does not generate, a VAE
# generates blurred images, and a GAN generates sharp images but has no encoder. We check the
# summary on clothes. The autoencoder decodes samples from a normal distribution fitted to its codes
# ([chapter 1](01_autoencoders.md)). The VAE ([chapter 4](04_vae.md)) has the squared error as its
# loss, with a fixed scale, and shows the means of its pixels. Next to them are five GANs from 2014
# to 2019: one with dense layers, trained here, and four published ones. *Fine detail* is the
# standard deviation of what a 3 × 3 blur removes, relative to test images.

# %%
dense = dict(latent_dim=16, hidden=(256, 256), activation="relu")
coder = Autoencoder(*mlp_networks(SHAPE, **dense, heads=("codes",)))
heads = ("mean", "log_variance")
vae = VAE(*mlp_networks(SHAPE, **dense, heads=heads), likelihood=Normal(1.0))
start_at_mean(coder.decoder, images / np.float32(255))
for model in (coder, vae):
    model.compile(Adam(1e-3))
    model.fit(images, batch_size=100, epochs=DENSE_EPOCHS, verbose=0)
player = mlp_encoder(SHAPE, 1, (256, 128), "leaky_relu", heads=("logits",))
dense_gan = GAN(mlp_decoder(SHAPE, 32, (128, 256), "relu", output_activation="tanh"), player)
dense_gan.compile(
    d_optimizer=Adam(2e-4, 0.5),
    g_optimizer=Adam(2e-4, 0.5),
    steps_per_execution=1 if QUICK else 50,
)
dense_gan.fit(
    Source(images, origin="clothes").stream(64, 0),
    steps_per_epoch=DENSE_STEPS,
    verbose=0,
)
codes = coder.encode(images[:KNOWN])
fitted = np.random.default_rng(0).multivariate_normal(codes.mean(axis=0), np.cov(codes.T), N)
families = {
    "test images": others,
    "autoencoder, random codes": coder.decode(fitted.astype("float32")),
    "autoencoder, test images": coder.reconstruct(others),
    "VAE": vae.sample(N, seed=1),
    "dense GAN, 2014": dense_gan.sample(N, seed=1),
    "DCGAN, 2016": sets["DCGAN, 11 minutes"],
}
if not QUICK:
    progressive = keras_gen.load("progressive_gan_fashion_mnist")
    families["progressive GAN, 2018"] = progressive.sample(N, seed=1)
    families["BigGAN, 2019"] = sets["BigGAN, 33 minutes"]
families["StyleGAN, 2019"] = sets["StyleGAN, 33 minutes"]


def detail(made):
    made = made.astype("float32")
    return np.std(made - tf.nn.avg_pool2d(made, 3, 1, "SAME").numpy())


print("                            kernel x 1000   fine detail")
for name, made in families.items():
    distance, error = kernel_distance(reference, gradient_histograms(made))
    print(
        f"{name:26} {1000 * distance:7.1f} ± {1000 * error:3.1f} {detail(made) / detail(others):10.2f}"
    )
show(
    captioned([made[:12] for made in families.values()], list(families)),
    "families",
    "The autoencoder's random codes give mixtures of garments, the VAE blurs, the dense GAN is"
    " noisy, and the other GANs are sharp but flawed. The third row reconstructs the first.",
)

# %% [markdown]
# The summary holds for the pictures. The autoencoder's random codes give smeared mixtures of
# garments, and so would any code between clusters. The VAE's samples have a third of the fine
# detail: with a squared error, the best image for a latent is the mean of all images that share
# this latent. (A smaller scale sharpens the mean, as a smaller $\beta$ does, but then samples from
# the prior fall between the codes of images.) GANs have about as much fine detail as test images,
# but not for free: the dense GAN of 2014 has *too much* of it, namely noise, and all GANs generate
# some broken garments. The distances do not follow the summary: here the random codes are closer to
# test images than the VAE. "Sharp" and "close in distribution" are two properties.
#
# The autoencoder and the VAE also encode: the third row comes from codes of 16 numbers. A GAN has no
# encoder. Section 7 searches for latents instead.
#
# The discriminator is not an encoder, but its maps are features. A linear classifier on the maps of
# a discriminator trained without labels is a classical test of unsupervised learning (Radford et
# al. 2016). We test the hidden layers of the dense GAN's discriminator, with few labels.


# %%
def hidden_layers(network):
    """Returns a function from images to the outputs of all hidden layers."""
    maps = keras.Model(network.input, [layer.output for layer in network.layers[2:-1]])
    return lambda made: np.concatenate(maps(made / np.float32(127.5) - 1), axis=1)


untrained = mlp_encoder(SHAPE, 1, (256, 128), "leaky_relu", heads=("logits",))
print(f"test accuracy of linear classifiers with {LABELED:,} labels")
for name, extract in {
    "pixels": lambda made: made.reshape(len(made), -1) / np.float32(255),
    "histograms of gradients": gradient_histograms,
    "discriminator, untrained": hidden_layers(untrained),
    "discriminator, trained": hidden_layers(player),
}.items():
    linear = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    linear.fit(extract(images[:LABELED]), labels[:LABELED])
    print(f"{name:24} {linear.score(extract(test), test_labels):.1%}")

# %% [markdown]
# The accuracies differ by less than one standard error, 0.9%: on these images, the discriminator's
# maps are no better than pixels or the maps of an untrained network. Claims about learned features
# need such baselines (chapter 2 comes to the same conclusion for codes). A **world model** goes one
# step further: an agent learns a generative model of its observations, and plans in it. The library
# has no world models.
#
# ## 5. Averages of the weights
#
# The players of a GAN need not converge. In the game of chapter 9, they circled around the
# equilibrium, whose *center* is the point where they should be. So a moving average of the
# generator's weights, $\bar w \leftarrow \beta \bar w + (1 - \beta) w$, is maintained during
# training and used for sampling. How large a circle does the average describe? Let $w_t = e^{i
# \theta t}$, with the angle $\theta$ per step. The average is a sum over all previous steps, a
# geometric series:
#
# $$\bar w_t = (1 - \beta) \sum_{j \ge 0} \beta^j e^{i \theta (t - j)}
# = e^{i \theta t} \frac{1 - \beta}{1 - \beta e^{-i \theta}}, \qquad
# |\bar w_t| = \frac{1 - \beta}{\sqrt{1 - 2 \beta \cos \theta + \beta^2}}.$$
#
# The average also moves on a circle, with a smaller radius. We update the two numbers of chapter 9
# in turn, with steps of $h = 0.2$. Their matrix has determinant 1 and trace $2 - h^2/4$, so $\cos
# \theta = 1 - h^2/8$.

# %%
H = 0.2
turn = np.array([[1 - H**2 / 4, H / 2], [-H / 2, 1]])
path = [np.array([1.0, 1.0])]
for _ in range(12_000):
    path.append(turn @ path[-1])
path = np.array(path)
radius = np.linalg.norm(path[11_000:], axis=1).max()
cosine = 1 - H**2 / 8
averages = {}
for beta in (0.9, 0.99, 0.999):
    average, found = path[0], []
    for point in path:
        average = beta * average + (1 - beta) * point
        found.append(average)
    averages[beta] = np.array(found)
    left = np.linalg.norm(averages[beta][11_000:], axis=1).max() / radius
    formula = (1 - beta) / np.sqrt(1 - 2 * beta * cosine + beta**2)
    print(f"beta {beta:5}: measured {left:.4f} of the radius, formula {formula:.4f}")

drawn = new_figure(10, 3.6)
for axes, (beta, average) in zip(drawn.subplots(1, 3), averages.items(), strict=True):
    axes.plot(*path[:64].T, color="tab:gray", linewidth=1, label="weights")
    axes.plot(*average[:1500].T, color="tab:red", linewidth=1, label="average")
    axes.set(title=f"beta = {beta}", aspect="equal", xlabel="theta, the generator")
    axes.set_ylabel("psi, the discriminator")
axes.legend(loc="lower right")
show(drawn, "averages", "Two players circle around (0, 0), with their averages.")

# %% [markdown]
# With $\beta = 0.999$, the average forgets the starting point only after thousands of steps. If the
# averaging window is too long for the run, the average still contains old weights. The exports in
# this chapter contain averages.
#
# ## 6. Truncation
#
# A trained generator can be given latents from a distribution other than the one used in training.
# Large latent values were rare in training, and their images are often poor. **Truncation** keeps
# each latent in $[-t, t]$ (Brock et al. 2019). The variance of a truncated normal number is known:
#
# $$1 - \frac{2 t \varphi(t)}{2 \Phi(t) - 1},$$
#
# with the standard normal density $\varphi$ and its integral $\Phi$. StyleGAN truncates at a later
# point: it first maps latents $z$ to a **style** $w = f(z)$ and pulls it toward the mean style:
# $w' = \bar w + \psi (w - \bar w)$.

# %%
normal = random.normal(size=(N, 100)).astype("float32")
for t in (0.25, 1.0, 2.0):
    measured = dcgan.truncate(normal, t).var()
    formula = 1 - 2 * t * norm.pdf(t) / (2 * norm.cdf(t) - 1)
    print(f"t = {t:4}: variance of truncated latents {measured:.4f}, formula {formula:.4f}")

few = N // 2
some = reference[:few]
PSI = (0.25, 1.0) if QUICK else (0.0, 0.25, 0.5, 0.75, 1.0)
drawn_at = {"StyleGAN, by psi": [(psi, style_gan.sample(few, seed=1, psi=psi)) for psi in PSI]}
if not QUICK:
    drawn_at["DCGAN, by t"] = [
        (t, dcgan.sample(few, seed=1, truncation=t)) for t in (0.25, 0.5, 1.0, 10.0)
    ]
curves = {}
for name, at in drawn_at.items():
    for number, made in at:
        found = prdc(some, gradient_histograms(made))
        curves.setdefault(name, ([], []))
        curves[name][0].append(found["recall"])
        curves[name][1].append(found["precision"])
        print(
            f"{name} = {number:5}: precision {found['precision']:.2f}, recall {found['recall']:.2f}"
        )
show(
    line_plot(curves, "recall, of 500 test images", "precision, of 500 samples"),
    "truncation",
    "Truncation trades recall for precision. The rightmost points show untruncated results.",
)

# %%
rows = [made[:10] for _, made in drawn_at["StyleGAN, by psi"]]
show(
    captioned(rows, [f"psi = {psi}" for psi in PSI]),
    "psi",
    "The same latents with styles pulled toward the mean style. At 0, all have the mean style.",
)

# %% [markdown]
# In both curves, *measured* precision mostly rises at the expense of recall. But some steps lose
# recall and gain nothing, such as the one from no truncation to $t = 1$ for DCGAN. Do the images
# become better? Look at them: at $\psi = 0$, all samples are the same speckled garment (the
# speckles come from noise inputs and differ slightly), with precision 1 and recall 0, and at small
# $\psi$, some samples are shapeless, although nearly all of them count as precise. Truncation moves
# samples into dense regions of the features, which is what precision measures, but does not clean
# them up ([chapter 16](16_evaluation.md)). The image at $\psi = 0$ is *not* the mean image: the
# mean of styles is itself a style. The two generators cannot be ranked where the curves do not
# overlap. (The curves use 500 images per set, but the table above uses 1,000, so the numbers
# differ.)
#
# ## 7. From latents to latents, and from images to latents
#
# Which latents are on a straight line between two latents? The squared length of a normally
# distributed latent with $d$ numbers has a mean of $d$ and a standard deviation of only
# $\sqrt{2d}$. Dividing by $2 \sqrt d$, the slope of the square, shows that the standard deviation
# of the length is about $1 / \sqrt 2 \approx 0.7$ for any $d$. So nearly all samples are close to a
# **sphere** with radius $\sqrt d$, which is 10 for $d = 100$. The midpoint of two independent
# samples has half the variance, so its length is $\sqrt{d / 2}$, about 7, where the generator was
# never trained. An arc around the origin stays on the sphere. Is this visible?

# %%
ends = dcgan.draw_latents(2 * N, seed=2)
first, second = ends[:N], ends[N:]
print(f"length of latents {np.linalg.norm(ends, axis=1).mean():.2f}", end=", ")
print(f"of middles {np.linalg.norm((first + second) / 2, axis=1).mean():.2f}")
middles = {
    "ends": dcgan.generate(first),
    "middles of lines": dcgan.generate((first + second) / 2),
    "middles of arcs": dcgan.generate((first + second) / 2**0.5),
}
for name, made in middles.items():
    features = gradient_histograms(made)
    distance, error = kernel_distance(reference, features)
    found = prdc(reference, features)
    print(
        f"{name:16} kernel distance x 1000 {1000 * distance:6.1f} ± {1000 * error:.1f},"
        f" precision {found['precision']:.2f}, recall {found['recall']:.2f}"
    )
lines = dcgan.interpolate(first[:3], second[:3], steps=10)
arcs = dcgan.interpolate(first[:3], second[:3], steps=10, spherical=True)
show(
    captioned(
        [row for pair in zip(lines, arcs, strict=True) for row in pair], ["line", "arc"] * 3
    ),
    "walks",
    "Three pairs of latents, and the images between them, on a line and on an arc.",
)

# %% [markdown]
# In kernel distance, images from midpoints of lines are slightly farther from test images than
# images from endpoints or midpoints of arcs, but by less than two standard errors. Visually, there
# is no difference. Midpoints of arcs have the distribution of latents, and midpoints of lines do
# not, but this generator is not sensitive to the difference. A generator is continuous, so a small
# enough step changes little. But the image may change quickly: in the middle pair, the shoe
# dissolves and the shirt appears within three of ten steps, and the images in between are neither.
#
# **Arithmetic.** Radford et al. subtract and add latents: *smiling woman - woman + man* generates a
# smiling man. A single latent is too noisy for this, so they use the mean of three latents for each
# term. We test *bright T-shirts - dark T-shirts + dark trousers*. Are the results trousers, and are
# they bright? The classifier of section 2 and the mean of the pixels above 20 answer both questions
# for 100 sums, with means of 3, 10, and 30 latents.

# %%
pool = dcgan.draw_latents(2 * N, seed=5)
made = dcgan.generate(pool)
seen = judge.predict(gradient_histograms(made))


def brightness(made):
    """Returns the mean of the pixels above 20, for each image."""
    lit = made > 20
    return (made * lit).sum(axis=(1, 2, 3)) / np.maximum(lit.sum(axis=(1, 2, 3)), 1)


lights = brightness(made)


def of_kind(kind, low, high):
    """Returns the pool's images of a class whose brightness is between two quantiles."""
    found = np.flatnonzero(seen == kind) if np.any(seen == kind) else np.arange(len(seen))
    ends = np.quantile(lights[found], (low, high))
    return found[(lights[found] >= ends[0]) & (lights[found] <= ends[1])]


T_SHIRT, TROUSERS = 0, 1
groups = (of_kind(T_SHIRT, 0.7, 1), of_kind(T_SHIRT, 0, 0.3), of_kind(TROUSERS, 0, 0.4))
choice = np.random.default_rng(0)
print("brightness of the three groups", *(f"{lights[group].mean():.0f}" for group in groups))
for count in (3, 10, 30):
    bright, dark, legs = (
        pool[choice.choice(group, (100, count))].mean(axis=1) for group in groups
    )
    results = {
        "dark trousers": dcgan.generate(legs),
        "sum": dcgan.generate(bright - dark + legs),
    }
    for name, found in results.items():
        share = np.mean(judge.predict(gradient_histograms(found)) == TROUSERS)
        print(
            f"{count:2} latents: {name:13} trousers {share:4.0%}, brightness {brightness(found).mean():.0f}"
        )
terms = {
    "bright T-shirts": dcgan.generate(bright[:10]),
    "dark T-shirts": dcgan.generate(dark[:10]),
    "dark trousers": results["dark trousers"][:10],
    "sum": results["sum"][:10],
}
show(
    captioned(list(terms.values()), list(terms)),
    "arithmetic_of_latents",
    "Bright T-shirts minus dark T-shirts plus dark trousers are bright trousers. Each image is"
    " generated from a mean of 30 latents, or from their sum.",
)

# %% [markdown]
# With means of 30 latents, 85% of the sums are seen as trousers, and they are as bright as intended:
# 183 instead of 144. With the paper's three latents, only a third are trousers, because the difference
# of two small means mostly contains noise. So the picture above needs averages, and a paper that
# selects its examples cannot tell how often they work. On faces, our published DCGAN fails: 10% of the
# sums are smiling men, compared with 8% of random samples.
#
# **Inversion.** Which latents generate a given image $x$? A GAN has no encoder, but the generator
# has a gradient: minimize $|G(z) - x|^2$ over $z$ with Adam, starting at $z = 0$. For images that
# $G$ generated itself, an exact solution exists, so the remaining error is due to the search. For
# test images, there are two sources of error: $G$ cannot generate some images, and the search does
# not find some latents. The simple baseline uses the same number of values per image: 100 principal
# components.

# %%
EACH = 6  # test images, and as many of the generator's own
optimizer = Adam(CosineDecay(0.2, FIT_STEPS))
own_latents = dcgan.draw_latents(EACH, seed=3)
targets = np.concatenate([test[:EACH], dcgan.generate(own_latents)])
wanted = tf.constant(targets / np.float32(127.5) - 1)
z = tf.Variable(tf.zeros((2 * EACH, 100)))
optimizer.build([z])


def search():
    with tf.GradientTape() as tape:
        made = dcgan.generator(z, training=False)
        loss = tf.reduce_sum(tf.reduce_mean(tf.square(made - wanted), axis=(1, 2, 3)))
    optimizer.apply([tape.gradient(loss, z)], [z])


search = search if QUICK else tf.function(search)
for _ in range(FIT_STEPS):
    search()
inverted = as_uint8(dcgan.generator(z, training=False).numpy())
flat_images = images[:KNOWN].reshape(KNOWN, -1).astype("float32")
pca = PCA(min(100, KNOWN), random_state=0).fit(flat_images)
by_pca = pca.inverse_transform(pca.transform(targets.reshape(len(targets), -1)))
by_pca = np.clip(np.rint(by_pca), 0, 255).astype("uint8").reshape(-1, *SHAPE)


def errors_of(made):
    """Returns the root mean squared error per image, in levels of 255."""
    squares = (made - targets.astype("float32")) ** 2
    return np.sqrt(squares.mean(axis=(1, 2, 3)))


rows, names = [], []
print("error of each image, root of the mean square, of 255 levels")
for name, part in (("test image", slice(EACH)), ("the GAN's own", slice(EACH, None))):
    for way, made in (("inverted", inverted), ("100 components", by_pca)):
        found = errors_of(made)[part]
        print(
            f"{name:14} {way:15}",
            *(f"{each:5.1f}" for each in found),
            f"  mean {found.mean():.1f}",
        )
    rows += [targets[part], inverted[part], by_pca[part]]
    names += [name, "inverted", "100 components"]
apart = np.linalg.norm(z[EACH:] - own_latents, axis=1)
print(
    "found latents lie",
    *(f"{each:.1f}" for each in apart),
    f"from the true ones; two draws {200**0.5:.1f}",
)
show(
    captioned(rows, names),
    "inversions",
    "Images, images generated from the latents found, and principal components.",
)

# %% [markdown]
# For test images, the search has a smaller error than 100 components on average, but a larger error
# for two of six images. For the generator's own images, the exact solution is known, with an error
# of 0. The search does *not* find any of these solutions within its 400 steps, and is worse than
# the components for two of six images: it turns a bag into a shoe. The mean error on the
# generator's own images is 15, as for test images, so errors on test images do *not* show what $G$
# cannot generate: most of the error may come from the search. And a small error does not imply that
# the latents are correct: for the last image, the latents found are at a distance of 10 from the
# true latents. The search finds a similar image, not *the* code of an image. To find codes, train
# an encoder ([chapter 4](04_vae.md)).
#
# ## 8. Styles
#
# **Growing first.** The progressive GAN (Karras et al. 2018) starts with 4 × 4 images. When these are
# trained, the layers for the next size are *faded in*: during a transition, the output is
#
# $$(1 - a) \, \mathrm{enlarged}(x_s) + a \, x_{2s},$$
#
# where $x_s$ and $x_{2s}$ are the images at the old and new size, and $a$ grows from 0 to 1. Real
# images are blended in the same way. So coarse structure is learned at a size at which training is
# easy and fast, and new layers never disturb trained ones abruptly.
#
# ![The same eight latents at four sizes, from 4 x 4 blocks to clothes of 32 x 32 pixels.](../pictures/growing.png)
#
# *Each size adds detail to the same garment. The rows show the outputs of the published progressive GAN at its four sizes, for the same latents.*
#
# StyleGAN (Karras et al. 2019) changes how latents enter the network. A DCGAN receives $z$ at its
# first layer, and $z$ is normal in all directions. If a combination of properties does not occur in
# the data, the map has to bend around this gap. In StyleGAN, the mapping $w = f(z)$ can do the
# bending, and $w$ does not have to be normally distributed. Its synthesis network starts with a
# *learned constant*. In each layer, every channel of the maps is normalized to mean 0 and standard
# deviation 1, and then scaled and shifted by numbers that depend only on $w$. Because the next
# layer normalizes its inputs, the scales of a style affect only its own layer. Fine noise is added
# as well. The export here has the generator of the second paper (Karras et al. 2020), in which $w$
# scales the channels before each convolution, and the outputs are divided by the standard deviation
# that this would cause.
#
# Because each layer has its own $w$, styles can be **mixed**: the coarse layers use the style of
# one sample, and the fine layers use the style of another sample. Which properties does each style
# determine? We mix pairs and ask the classifier of section 2 for the class of the mixture.

# %%
count = N // 4
latents = style_gan.draw_latents(2 * count, seed=4)
latents = latents[:, : style_gan.latent_dim]
coarse, fine = latents[:count], latents[count:]
kind_of = {
    name: judge.predict(gradient_histograms(style_gan.generate(each)))
    for name, each in (("coarse", coarse), ("fine", fine))
}
differ = kind_of["coarse"] != kind_of["fine"]
styles = style_gan.style(coarse), style_gan.style(fine)
layers = styles[0].shape[1]
print("layers with a style:", layers, "  pairs of two classes:", differ.sum())
for split in range(1, layers)[:: 2 if QUICK else 1]:
    both = np.concatenate([styles[0][:, :split], styles[1][:, split:]], axis=1)
    kind = judge.predict(gradient_histograms(style_gan.synthesize(both)))[differ]
    print(
        f"first {split} layers of one, {layers - split} of the other: class of the first"
        f" {np.mean(kind == kind_of['coarse'][differ]):.0%},"
        f" of the second {np.mean(kind == kind_of['fine'][differ]):.0%}"
    )
show(
    style_mixing(style_gan, coarse[:4], fine[:7], layers=max(layers // 2 - 1, 1)),
    "styles",
    "Coarse styles of the image on the left, fine ones of the image above.",
)

# %% [markdown]
# There are two layers for each size, from 4 × 4 to 32 × 32. The first two already determine the
# class in most mixtures, though not in all, and the last two almost never do: they set brightness
# and texture. The picture shows mixtures after three layers. Rows share their shape, and columns
# share their tone.
#
# This division of labor comes only from the structure of the network. Mixing styles in training
# (some samples get two styles) makes layers depend less on each other.
#
# ## 9. Common claims, and what is true
#
# - **"FID measures how good images are."** It compares two normal distributions in the features of
#   one network, with a bias that depends on the number of images (section 4). The FID is 0 for
#   copies of the test set, and does not detect differences that its features do not capture.
# - **"Spectral normalization makes every layer 1-Lipschitz."** This holds for dense layers once the
#   power iteration has converged. A convolution has up to $k$ times the slope of its reshaped
#   kernel (section 3).
# - **"Batch normalization is a property of the network."** It is a property of the network *and the
#   batch* (section 2).
# - **"Interpolation proves that nothing is memorized."** Interpolation shows that the generator is
#   continuous. To find copies, search *all* training images for each sample.
# - **"A lower temperature, psi, or truncation improves the model."** In section 6, truncation
#   traded recall for precision, and it does not change the model itself.
# - **"The generator has an inverse."** The generator maps 100 numbers to 1024, so most images have
#   no latents at all (section 7).
#
# ## Questions
#
# **1.** For which image generator is the expected kernel distance 0, although none of its images
# could be in the data?
#
# <details markdown="1"><summary>Answer</summary>
#
# In our features, a generator of negative images of clothes has an expected kernel distance of 0.
# The histograms use the direction of an edge without its sign, so a negative has the same features.
# Every feature has such blind spots: it maps some changed images to the same values. So report
# several features, and look at the images.
#
# </details>
#
# **2.** Let both sets have $d$ independent features with variance 1. How large is the part of the
# Fréchet distance that comes from the means alone, for $n$ images per set? How large is it for $d =
# 2048$, as with Inception, and $n = 1000$?
#
# <details markdown="1"><summary>Answer</summary>
#
# Each sample mean has the variance $1 / n$, so the squared difference of two of them is $2 / n$ on
# average, and $2 d / n$ for all features. For $d = 2048$ and $n = 1000$, this is 4.1, although both
# sets have the same distribution, and the covariances add more. For this reason, papers use 50,000
# images.
#
# </details>
#
# **3.** Change the code: in section 2, train with randomly permuted labels, `Source((images,
# random.permutation(labels)), origin="clothes")`. What do the rows of samples show?
#
# <details markdown="1"><summary>Answer</summary>
#
# Labels now contain no information about the image: $p(x \mid y) = p(x)$ for each $y$. So each row
# contains all types of clothes, and the losses of the two players look the same as before. Of our
# samples, 9.8% had the requested class, as expected by chance. The loss cannot detect this: the
# labels are wrong for the discriminator, too.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md). Their kernel distances are
# computed with the features of two trained classifiers; the larger distance is shown.
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | clothes from DCGAN | `GAN` | [dcgan_fashion_mnist](../../recipes/dcgan_fashion_mnist.py) | kernel distance 0.008699; Gaussian mixture 0.1370 | [Radford et al. 2016](https://arxiv.org/abs/1511.06434) |
# | faces from DCGAN | `GAN` | [dcgan_celeb_a](../../recipes/dcgan_celeb_a.py) | kernel distance 0.1291; Gaussian mixture 0.1191 | [Radford et al. 2016](https://arxiv.org/abs/1511.06434) |
# | digits of a class | `ConditionalGAN`, `ACGAN` | [conditional_gan_mnist](../../recipes/conditional_gan_mnist.py) | requested class 0.942; Gaussian mixture per class 0.9860 | [Mirza, Osindero 2014](https://arxiv.org/abs/1411.1784) |
# | losses and normalizations compared | `GAN` | [gan_objectives_fashion_mnist](../../recipes/gan_objectives_fashion_mnist.py) | kernel distance with R1 0.0298, with spectral normalization 0.02949; Gaussian mixture 0.004188 (16 × 16 pixels) | [Miyato et al. 2018](https://arxiv.org/abs/1802.05957) |
# | truncation | `BigGAN` | [big_gan_fashion_mnist](../../recipes/big_gan_fashion_mnist.py) | kernel distance 0.04079; Gaussian mixture 0.1370; recall 0.1866, truncated at 1 0.04230, Gaussian mixture 0.7234 | [Brock et al. 2019](https://arxiv.org/abs/1809.11096) |
# | growing networks | `ProgressiveGAN` | [progressive_gan_fashion_mnist](../../recipes/progressive_gan_fashion_mnist.py) | kernel distance 0.1197; Gaussian mixture 0.1370 | [Karras et al. 2018](https://arxiv.org/abs/1710.10196) |
# | styles | `StyleGAN` | [style_gan_fashion_mnist](../../recipes/style_gan_fashion_mnist.py) | kernel distance 0.1055; Gaussian mixture 0.1370 | [Karras et al. 2019](https://arxiv.org/abs/1812.04948) |
