# %% [markdown]
# # 1. Autoencoders and principal components
#
# An autoencoder compresses an image to a few numbers and reconstructs the image from them. By
# training, it learns which information these numbers should preserve. We begin with the only case
# that can be solved on paper, the linear autoencoder. It leads to principal component analysis
# (PCA), a method from 1901. Then we show the benefits of depth, and the limits of autoencoders.
#
# After this chapter, you can prove that a linear autoencoder finds the subspace of PCA, state what
# it does *not* find, and show why codes alone do not generate images.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on less data and with fewer steps.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import SGD, Adam
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from keras_gen import Autoencoder
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Images
from keras_gen.data import small_images
from keras_gen.files.images import flat_pixels
from keras_gen.metrics import nearest_neighbors, squared_error
from keras_gen.networks import linear_networks, mlp_networks, start_at_mean
from keras_gen.workshop.visualize import (
    captioned,
    code_scatter,
    random_codes,
    show,
)

QUICK = bool(os.environ.get("QUICK"))
DIGITS = 1_000 if QUICK else 30_000  # maximum number of training digits
TESTED = 300 if QUICK else 5_000  # maximum number of test digits
LINEAR_STEPS = 10 if QUICK else 600  # for the linear autoencoder
EPOCHS = 1 if QUICK else 12  # for each deep one

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

data = small_images("mnist", labels=True, first=DIGITS)
print(data.warning or "the digits of MNIST")
train_images, _ = data.train.take(DIGITS).arrays()
test_images, test_labels = data.test.take(TESTED).arrays()
print("training images", train_images.shape, "and test images", test_images.shape)

# %% [markdown]
# ## 1. What is learned
#
# The **encoder** turns an image $x$ with $n$ pixels into a **code** $h$ with $k$ numbers, and the
# **decoder** turns the code back into an image. Labels are not needed: the decoder's target is the
# image itself. Both are trained together on the squared error of all pixels,
#
# $$E | x - \mathrm{decoder}(\mathrm{encoder}(x)) |^2,$$
#
# where $E$ is the mean over images. With $k = n$, the two networks could copy the image perfectly.
# If $k$ is far below $n$, the code is a **bottleneck**: it has room only for the differences
# between images, and the decoder must contain what the images have in common.
#
# ## 2. The linear autoencoder on paper
#
# Subtract the mean image, so that $E x = 0$. Let the encoder be a matrix, $h = A x$, and let the
# decoder be another matrix, $B h$. Which $A$ and $B$ have the smallest error?
#
# **First, the best code for a given decoder.** $B h$ is a point in the subspace that the $k$
# columns of $B$ span. The nearest point to $x$ in a subspace is its orthogonal projection, $P x$.
# So the error is at least $E |x - P x|^2$.
#
# **Second, the best subspace.** A projection has $P P = P$, and it is symmetric. So
# $|x - P x|^2 = |x|^2 - x \cdot P x$. Let $e_1, e_2, \ldots$ be the orthonormal eigenvectors of the
# covariance matrix $C = E x x^T$, with eigenvalues $\lambda_1 \ge \lambda_2 \ge \ldots$. These
# eigenvectors are the **principal components**. In their basis
#
# $$E | x - P x |^2 = \sum_i \lambda_i - \sum_i \lambda_i w_i, \qquad w_i = e_i \cdot P e_i.$$
#
# Each weight $w_i$ is the squared length of the projection of a unit vector, so it is in $[0, 1]$.
# The sum of the weights is the trace of $P$, which is $k$. We have $k$ units to spend, at most 1 on
# each eigenvalue. It is best to spend them on the $k$ largest:
#
# $$\min E | x - P x |^2 = \lambda_{k+1} + \lambda_{k+2} + \ldots$$
#
# The best subspace is spanned by the first $k$ principal components (Baldi and Hornik 1989, who
# also show that gradient descent has no local minima here, only saddle points).
#
# **What is not determined.** Take any invertible matrix $M$ of size $k$. Then $B M$ and $M^{-1} A$
# have the same product as $B$ and $A$, and therefore the same error. So the *subspace* is found,
# but not the components: the columns of $B$ may be any basis of this subspace.
#
# ## 3. The linear autoencoder in code
#
# `GenerativeModel` gives a model its optimizer, the image check (`prepare_batch`, which here
# converts images to numbers between 0 and 1), and the weight update (`minimize`).


# %%
class PlainAutoencoder(GenerativeModel):
    """Minimizes the squared error of the reconstructions."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.edges["x"] = Images((28, 28, 1), low=0.0, high=1.0)

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def error():
            code = self.encoder(x, training=True)
            reconstruction = self.decoder(code, training=True)
            return tf.reduce_sum(tf.square(x - reconstruction), axis=(1, 2, 3))

        loss = self.minimize(error)
        return self.report(loss=loss)


# %% [markdown]
# We use a code with six numbers, and 5,000 digits. Each step uses all digits, because the noise of
# small batches would rotate the subspace slightly. PCA from scikit-learn is fitted to the same
# digits. PCA needs no training; it solves an eigenvalue problem.

# %%
CODE = 6
some = train_images[:5000]
pixels = flat_pixels(some)
pca = PCA(CODE, svd_solver="covariance_eigh").fit(pixels)
eigenvalues = np.linalg.eigvalsh(np.cov(pixels.T, bias=True))  # ascending
left_out = eigenvalues[:-CODE].sum()

encoder, decoder = linear_networks(some.mean(axis=0) / 255, CODE)
linear = PlainAutoencoder(encoder, decoder)
linear.compile(SGD(0.02, momentum=0.9))
every = tf.data.Dataset.from_tensors(some).repeat()
linear.fit(every, steps_per_epoch=LINEAR_STEPS, verbose=0)

ours = np.asarray(decoder(encoder(pixels.reshape(some.shape))))
theirs = pca.inverse_transform(pca.transform(pixels)).reshape(some.shape)
print(f"squared error of a digit, linear autoencoder   {squared_error(ours, some).mean():.4f}")
print(f"squared error of a digit, PCA                  {squared_error(theirs, some).mean():.4f}")
print(f"sum of the eigenvalues that are left out       {left_out:.4f}")

columns = decoder.get_layer("components").kernel.numpy().T
rows = encoder.get_layer("codes").kernel.numpy()
for name, basis in (("decoder's columns", columns), ("encoder's rows", rows)):
    angles = np.degrees(subspace_angles(basis, pca.components_.T))
    print(f"largest angle between the {name} and the components: {angles.max():.2f} degrees")

# %% [markdown]
# The two errors and the sum of the eigenvalues agree. Two subspaces are equal if the largest of
# their **principal angles** is 0. The columns of the *decoder* span the components' subspace. The
# rows of the *encoder* do not: in directions in which digits never vary, such as pixels that are
# always black, the encoder's initial random weights never change, and do not need to.

# %%
orthonormal, _ = np.linalg.qr(columns)
codes = (pixels - pixels.mean(axis=0)) @ orthonormal
_, _, turn = np.linalg.svd(codes - codes.mean(axis=0), full_matrices=False)
turned = orthonormal @ turn.T
turned *= np.sign(np.sum(turned * pca.components_.T, axis=0))


def in_a_row(basis):
    """Returns columns as images; the largest negative weight of each is black."""
    scaled = basis / np.abs(basis).max(axis=0)
    return (127.5 + 127.5 * scaled).astype("uint8").T.reshape(-1, 28, 28, 1)


names = ["decoder's columns", "the same, turned", "principal components"]
show(
    captioned([in_a_row(basis) for basis in (columns, turned, pca.components_.T)], names),
    "components",
    "The decoder's columns are not components, but become them after a change of basis.",
)

# %% [markdown]
# ## 4. A deep autoencoder
#
# Now both networks get hidden layers. The class `Autoencoder` has the step of section 3, with a
# **likelihood** instead of the squared error: by default, the cross-entropy of pixels in $[0, 1]$.
# The class adds `encode`, `decode`, `reconstruct`, `interpolate`, and saving. `start_at_mean` sets
# the last biases so that the decoder begins with the mean digit.
#
# ![An image passes through the encoder to the code, and through the decoder to the reconstruction. The loss compares the reconstruction with the image.](diagrams/01_autoencoder.svg)
#
# *The autoencoder with a code of 16 numbers. Blue: networks. Yellow: the loss.*


# %%
def deep_autoencoder(code, activation="relu"):
    encoder, decoder = mlp_networks(
        latent_dim=code, hidden=(256, 128), activation=activation, heads=("codes",)
    )
    start_at_mean(decoder, train_images / np.float32(255))
    model = Autoencoder(encoder, decoder)
    model.compile(Adam(2e-3))
    model.fit(train_images, batch_size=200, epochs=EPOCHS, verbose=0)
    return model


plane = deep_autoencoder(2)
deep = deep_autoencoder(16)
components = PCA(16, svd_solver="covariance_eigh").fit(flat_pixels(train_images))
test_codes = components.transform(flat_pixels(test_images))


def by_components(number):
    """Returns reconstructions of the test digits with the given number of components."""
    found = test_codes[:, :number] @ components.components_[:number] + components.mean_
    return found.reshape(test_images.shape).astype("float32")


found = {
    "PCA, 2 numbers": by_components(2),
    "deep, 2 numbers": plane.reconstruct(test_images),
    "PCA, 16 numbers": by_components(16),
    "deep, 16 numbers": deep.reconstruct(test_images),
}
for name, images in found.items():
    print(
        f"squared error of a test digit, {name:17} {squared_error(images, test_images).mean():6.2f}"
    )


def as_uint8(images):
    scaled = images if images.dtype == np.uint8 else 255 * np.clip(images, 0, 1)
    return scaled.astype("uint8")


rows = [test_images[:12], *(as_uint8(images[:12]) for images in found.values())]
show(
    captioned(rows, ["test digits", *found]),
    "reconstructions",
    "Test digits, and their reconstructions from 2 and from 16 numbers.",
)

# %% [markdown]
# Codes with two numbers can be plotted in a plane. Colors show the labels, which neither method has
# seen.

# %%
panels = {
    "first two principal components": test_codes[:, :2],
    "codes of the deep autoencoder": plane.encode(test_images),
}
show(
    code_scatter(panels, test_labels),
    "codes",
    "Test digits in the plane. Codes of the deep autoencoder separate the classes better.",
)

# %% [markdown]
# ## 5. Between two digits
#
# Halfway between two images, pixel by pixel, both images are visible. Halfway between their
# *codes*, the decoder generates connected strokes, though not always a digit. We also measure this:
# how far is the middle image from the nearest training digit?

# %%
a = test_images[:200:2]
b = test_images[1:200:2]
steps = np.linspace(0, 1, 9).reshape(1, -1, 1, 1, 1)
in_pixels = as_uint8((1 - steps) * a[:, None] / 255 + steps * b[:, None] / 255)
in_codes = deep.interpolate(a, b, steps=9)
rows = []
names = []
for pair in (0, 3, 5):
    rows += [in_pixels[pair], in_codes[pair]]
    names += ["pixels", "codes"]
show(
    captioned(rows, names),
    "interpolations",
    "Three pairs of test digits: the straight line between their pixels, and between their codes.",
)

training = flat_pixels(train_images[:20_000])
for name, images in (("test digits", a), ("pixels", in_pixels[:, 4]), ("codes", in_codes[:, 4])):
    distances, _ = nearest_neighbors(flat_pixels(images), training, 1)
    print(f"distance to the nearest training digit, {name:12} {distances.mean():.2f}")

# %% [markdown]
# ## 6. Codes alone generate nothing
#
# If every image has a code, why not sample random codes and decode them? But which codes are
# likely? The loss does not determine this. We help the autoencoder as much as we can, and sample
# from the normal distribution with the mean and covariance of the test digits' codes.

# %%
codes = deep.encode(test_images)
show(
    random_codes(deep, codes, n=49),
    "random_codes",
    "Left: decoded codes of test digits. Right: decoded samples from a normal distribution fitted to them.",
)

drawn = random.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), len(codes))
for name, start in (("test digits", codes), ("random draws", drawn.astype("float32"))):
    back = deep.encode(deep.decode(start))
    change = np.linalg.norm(back - start, axis=1) / np.linalg.norm(start - codes.mean(0), axis=1)
    print(f"change of a code by decoding and encoding it, {name:12}: {np.median(change):.0%}")

# %% [markdown]
# Many of the decoded samples are not digits. The numbers confirm this impression. A digit's code
# barely changes if it is decoded and encoded again. A random code changes twice as much, so the
# encoder assigns its image a different code. The codes of digits fill only parts of the 16
# dimensions, as they do in the plane above, and a normal distribution also samples from the gaps.
#
# **Other data, other networks.** The derivation did not use that $x$ is an image. For images, a
# *convolutional* encoder shares its weights over positions and halves the size of its maps several
# times, and the decoder doubles the size again ([chapter 10](10_gans_that_draw.md) shows the
# arithmetic). For a *document*, $x$ contains the counts of its words, and the loss is the
# cross-entropy of the words that occur. The linear case is latent semantic analysis: PCA of weighted
# word counts without centering. For a *series*, a *recurrent* encoder reads the values one by one,
# its last state is the code, and a recurrent decoder writes them. Before batch normalization and
# better initializations, deep autoencoders could not be trained from random weights. *Greedy
# pretraining* (Hinton and Salakhutdinov 2006) trains one layer at a time as a shallow model of the
# codes below it, stacks the layers, and then trains all of them together. An image that an
# autoencoder reconstructs badly is probably unlike its training data, so the error also detects
# *anomalies*. The recipes in the first week of the [syllabus](syllabus.md) show all of these.
#
# A generator needs codes with a known distribution. There are two ways: learn a distribution of the
# codes afterward ([chapter 5](05_discrete_latents.md)), or train the encoder so that its codes have
# a given distribution. The second way leads to the variational autoencoder, [chapter 4](04_vae.md).
#
# ## 7. Common claims, and what is true
#
# - **"A linear autoencoder computes the principal components."** It finds their subspace, in any
#   basis (section 3). Their order and orthogonality require further conditions.
# - **"An autoencoder with a nonlinear layer is better than PCA."** Not with *one* nonlinear layer
#   as the code, a linear decoder, and the squared error: see question 2. It requires a nonlinear
#   decoder.
# - **"The code space of an autoencoder is smooth, so we can sample from it."** Between the codes of
#   two digits, it often is. But smoothness does not tell us where the codes are.
#
# ## Questions
#
# **1.** The covariance matrix has eigenvalues 5, 3, 1, and 1. What is the minimum error of a linear
# autoencoder with a code of two numbers, and which subspaces reach it? What are the answers for
# three numbers?
#
# <details markdown="1"><summary>Answer</summary>
#
# With two numbers, the minimum error is $1 + 1 = 2$, and only the plane of the first two components
# reaches it. With three numbers, it is 1. The third direction may be any unit vector in the plane
# of the last two eigenvectors, because their eigenvalues are equal.
#
# </details>
#
# **2.** An encoder has arbitrary nonlinear layers, and the decoder is linear, $B h + b$. Can the
# squared error be smaller than PCA's with the same number of components?
#
# <details markdown="1"><summary>Answer</summary>
#
# No. All reconstructions are in the subspace spanned by $B$, shifted by $b$. The nearest point in
# this subspace is the orthogonal projection, however the code is computed. So the proof of section
# 2 applies, and PCA has the minimum error (Bourlard and Kamp 1988). The depth must be in the
# *decoder*.
#
# </details>
#
# **3.** Change the code: in section 4, train `deep = deep_autoencoder(16, "linear")`. What happens
# to the reconstructions, the error, and the middle images in section 5?
#
# <details markdown="1"><summary>Answer</summary>
#
# The layers of a network are still several matrices, but their product is one matrix. So the
# decoder is linear up to its output, where the cross-entropy applies the sigmoid: this is
# *logistic* PCA. Its error is between the errors of PCA and the deep autoencoder. With 30 numbers,
# the published errors are 13.87, 8.04, and 2.91. On the line between two codes, the logits form a
# straight line, so both digits are visible at the same time again.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md). All are squared errors per
# test digit, as above.
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | linear autoencoder | `Autoencoder` | [linear_autoencoder_mnist](../../recipes/linear_autoencoder_mnist.py) | 13.87 with 30 numbers; PCA 13.87 | [Baldi, Hornik 1989](https://doi.org/10.1016/0893-6080%2889%2990014-2) |
# | deep autoencoder | `Autoencoder` | [deep_autoencoder_mnist](../../recipes/deep_autoencoder_mnist.py) | 2.913 with 30 numbers, paper 3 | [Hinton, Salakhutdinov 2006](https://doi.org/10.1126/science.1127647) |
# | code size | `Autoencoder` | [code_sizes_mnist](../../recipes/code_sizes_mnist.py) | 26.564 with 2 numbers; PCA 43.64 | [Hinton, Salakhutdinov 2006](https://doi.org/10.1126/science.1127647) |
