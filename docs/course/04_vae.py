# %% [markdown]
# # 4. The variational autoencoder
#
# An autoencoder learns codes, but it does not indicate which codes are likely. So decoding random
# noise does not give a digit ([chapter 1](01_autoencoders.md)). A variational autoencoder (VAE) is
# a *probability distribution* over images. Its codes have a known distribution, so decoding samples
# from this distribution gives new digits.
#
# After this chapter, you can derive the loss of a VAE, state what is approximated in it, and write
# its training step. Every derivation is checked with a number or a picture.
#
# With `QUICK=1` in the environment, the chapter runs in about a minute, on less data and with fewer
# steps. This is a test of the code: the text does not describe its numbers and pictures.

# %%
import os

import keras
import numpy as np
import tensorflow as tf

from keras_gen import VAE
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Images
from keras_gen.data import binarize, small_images
from keras_gen.losses import Bernoulli, kl_standard_normal
from keras_gen.metrics import importance_weighted_nll
from keras_gen.networks import mlp_networks, start_at_mean
from keras_gen.workshop.visualize import (
    captioned,
    code_scatter,
    line_plot,
    manifold,
    new_figure,
    samples,
    show,
)

QUICK = bool(os.environ.get("QUICK"))
DIGITS = 1_000 if QUICK else 30_000  # maximum number of training digits
TESTED = 300 if QUICK else 5_000  # maximum number of test digits
EPOCHS = 1 if QUICK else 14  # for the model with two latents
CLASS_EPOCHS = 1 if QUICK else 4  # for the convolutional model
BETA_EPOCHS = 1 if QUICK else 4  # for each model in the comparison
SIDE = 60 if QUICK else 300  # points per axis of the grid of latents

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# The data are handwritten digits with 28 × 28 pixels. We make each pixel black or white at random;
# the gray value is the probability of white. Then an image is a list of 784 bits, and the
# probability of an image is easy to write down.

# %%
data = small_images("mnist", labels=True, first=DIGITS)
print(data.warning or "the digits of MNIST")
train_images, _ = data.train.take(DIGITS).arrays(0, binarize)
test_images, test_labels = data.test.take(TESTED).arrays(0, binarize)
print("training images", train_images.shape, "and test images", test_images.shape)

# %% [markdown]
# ## 1. The model
#
# We assume that an image is generated in two steps.
#
# 1. Sample a few numbers $z$, the **latents**, from the **prior** $p(z) = N(0, I)$: independent
#    standard normal numbers.
# 2. A network, the **decoder**, turns $z$ into a probability $d_i(z)$ for each pixel $i$. Set each
#    pixel $x_i$ to 1 with this probability, and to 0 otherwise.
#
# So the probability of an image given its latents, the **likelihood**, is a product over pixels,
# and its logarithm is a sum:
#
# $$\log p(x \mid z) = \sum_i x_i \log d_i(z) + (1 - x_i) \log (1 - d_i(z)).$$
#
# This is the negative cross-entropy. Because $z$ is not observed, the probability of an image is an
# average over all latents:
#
# $$p(x) = \int p(z) p(x \mid z) dz.$$
#
# We want the decoder under which the training images are likely: it maximizes the mean of $\log
# p(x)$. But the integral is over all latents, and almost all latents give a digit other than $x$.
# Averaging over the prior would require a huge number of samples ([chapter
# 3](03_latent_variables.md)).
#
# ## 2. The bound
#
# We would rather sample latents that fit the image. So we train a second network, the **encoder**
# (*amortized* inference: one network for all images). For each image $x$, it returns a normal
# distribution $q(z \mid x)$, with a mean and a variance for each latent. The best choice would be
# the **posterior** $p(z \mid x) = p(z) p(x \mid z) / p(x)$, which we cannot compute. Let us see
# what we lose if $q$ differs from the posterior.
#
# $\log p(x)$ does not depend on $z$, so it equals its mean over samples $z$ from $q$. Replace
# $p(x)$ by $p(x, z) / p(z \mid x)$, and multiply and divide by $q(z \mid x)$:
#
# $$\log p(x) = E_q \left[ \log \frac{p(x, z)}{p(z \mid x)} \right]
# = E_q \left[ \log \frac{p(x, z)}{q(z \mid x)} \right] +
# E_q \left[ \log \frac{q(z \mid x)}{p(z \mid x)} \right].$$
#
# The last term is the Kullback-Leibler divergence of $q(z \mid x)$ from the posterior. The first
# term is called the **evidence lower bound**, ELBO:
#
# $$\log p(x) = \mathrm{ELBO}(x) + \mathrm{KL}(q(z \mid x), p(z \mid x)).$$
#
# A divergence is never negative. By Jensen's inequality for the concave logarithm, a mean of
# logarithms is at most the logarithm of the mean:
#
# $$-\mathrm{KL} = E_q \left[ \log \frac{p(z \mid x)}{q(z \mid x)} \right]
# \le \log E_q \left[ \frac{p(z \mid x)}{q(z \mid x)} \right]
# = \log \int p(z \mid x) dz = \log 1 = 0.$$
#
# Both sides are equal only if the ratio is the same for all $z$, because the logarithm is strictly
# concave. As both densities integrate to 1, this ratio is 1. So the divergence is 0 only if $q(z
# \mid x)$ is the posterior.
#
# So the ELBO is never above $\log p(x)$, and the difference is exactly the divergence of $q(z \mid
# x)$ from the posterior. Because $\log p(x)$ does not depend on $q$, an encoder that raises the
# ELBO brings $q$ closer to the posterior. To compute the ELBO, write the joint density as $p(x,
# z) = p(z) p(x \mid z)$, which splits the logarithm in two:
#
# $$\mathrm{ELBO}(x) = E_q [ \log p(x \mid z) ] - \mathrm{KL}(q(z \mid x), p(z)).$$
#
# The first term favors good reconstructions. The second term keeps the encoder's distribution close
# to the prior. Training minimizes the negative ELBO with respect to the parameters of both networks
# at once.
#
# ![Plate notation of a VAE: solid arrows from the latent z and the decoder's parameters to the observed x, and dashed arrows from x and the encoder's parameters to z.](diagrams/04_plate.svg)
#
# *The model in plate notation. Solid: the decoder generates images. Dashed: the encoder infers latents.*
#
# ## 3. The divergence of two normal distributions
#
# For one latent, let $q = N(\mu, \sigma^2)$ and $p = N(0, 1)$. Then
#
# $$\log \frac{q(z)}{p(z)} = -\log \sigma - \frac{(z - \mu)^2}{2 \sigma^2} + \frac{z^2}{2}.$$
#
# Average over $z$ from $q$. $E(z - \mu)^2 = \sigma^2$ and $E z^2 = \mu^2 + \sigma^2$, so
#
# $$\mathrm{KL} = \frac{1}{2} \left( \mu^2 + \sigma^2 - \log \sigma^2 - 1 \right).$$
#
# The divergences of independent latents add up. We compare the formula with the definition of the
# divergence, the mean of $\log (q / p)$ over many samples from $q$. Divergences and log-likelihoods
# are in nats, the unit of natural logarithms.


# %%
def log_normal(z, mean, log_variance):
    """Returns a normal log-density, summed over the last axis."""
    squares = (z - mean) ** 2 / np.exp(log_variance)
    return -0.5 * np.sum(squares + log_variance + np.log(2 * np.pi), axis=-1)


mean = np.array([[1.0, -0.5]], "float32")
log_variance = np.log(np.array([[0.25, 2.0]], "float32"))
formula = 0.5 * np.sum(mean**2 + np.exp(log_variance) - log_variance - 1)
z = mean + np.exp(0.5 * log_variance) * random.normal(size=(1_000_000, 2))
log_ratios = log_normal(z, mean, log_variance) - log_normal(z, 0, np.zeros(2))
print(f"formula            {formula:.4f} nats")
print(f"a million draws    {log_ratios.mean():.4f} ± {log_ratios.std() / 1000:.4f} nats")
print(f"keras_gen.losses   {kl_standard_normal(mean, log_variance)[0]:.4f} nats")

# %% [markdown]
# ## 4. The gradient through a sample
#
# The other term of the ELBO, $E_q [ \log p(x \mid z) ]$, is estimated with one sample of $z$. But
# we also need the gradient of this term with respect to the encoder's parameters, which determine
# *how* $z$ is sampled. Write $f(z)$ for $\log p(x \mid z)$, and let only the mean $\mu$ of $q$ be
# unknown, with $\sigma = 1$. There are two ways to estimate the gradient.
#
# **The score function.** Differentiate inside the integral, where only the density depends on
# $\mu$. Because $\partial q / \partial \mu = q \cdot \partial \log q / \partial \mu$, the
# derivative is again a mean over samples from $q$. For $\sigma = 1$, $\log q$ is $-(z - \mu)^2 / 2$
# plus a constant. So the derivative of $\log q$ with respect to $\mu$ is $z - \mu$:
#
# $$\frac{\partial}{\partial \mu} \int q(z) f(z) dz
# = E_q \left[ f(z) \frac{\partial \log q(z)}{\partial \mu} \right]
# = E_q [ f(z) (z - \mu) ].$$
#
# **The reparameterization.** First sample noise $\epsilon$ from $N(0, 1)$, and set $z = \mu +
# \epsilon$. Now $\mu$ is an ordinary argument of a function:
#
# $$\frac{\partial}{\partial \mu} E_\epsilon [ f(\mu + \epsilon) ]
# = E_\epsilon [ f'(\mu + \epsilon) ].$$
#
# Both estimates are unbiased, but the second estimate only if $f$ has no jumps. The first estimate
# uses only the *value* of $f$, and the second estimate uses the *slope* of $f$. Let us measure the
# variance of both estimates of the derivative with respect to $\mu_1$, with $f(z) = z_1^2 +
# \ldots + z_n^2$ and at $\mu = (1, ..., 1)$. The true derivative is $2 \mu_1 = 2$. The
# reparameterization estimate is $2 (\mu_1 + \epsilon_1)$, whose variance is 4 for any $n$. The
# score-function estimate is $f(z) \epsilon_1$. For $n = 1$, this estimate is $(\mu + \epsilon)^2
# \epsilon$. With $E \epsilon^2 = 1$, $E \epsilon^4 = 3$, and $E \epsilon^6 = 15$, the mean square
# of this estimate is $\mu^4 + 18 \mu^2 + 15$. Subtracting the squared mean $4 \mu^2$ gives the
# variance $\mu^4 + 14 \mu^2 + 15 = 30$.
#
# For $n$ latents, write $f = a + b$, where $a = z_1^2$ and $b$ is the sum of the other $n - 1$
# squares, which is independent of $\epsilon_1$. Each of these squares has mean 2 and variance $E
# z^4 - 4 = (1 + 6 + 3) - 4 = 6$, so $E b = 2 (n - 1)$ and $E b^2 = 6 (n - 1) + 4 (n - 1)^2$. With
# $E [ a^2 \epsilon_1^2 ] = 34$, as above, and $E [ a \epsilon_1^2 ] = 1 + 3 = 4$, the variance is
#
# $$E [ a^2 \epsilon_1^2 ] + 2 E [ a \epsilon_1^2 ] E b + E b^2 - 2^2
# = 34 + 16 (n - 1) + 6 (n - 1) + 4 (n - 1)^2 - 4 = 4 n^2 + 14 n + 12.$$
#
# It grows with the square of $n$. The last column below is this formula.


# %%
def gradient_estimates(latents, draws=100_000):
    """Returns one estimate of the derivative per sample, for both ways."""
    epsilon = random.normal(size=(draws, latents))
    z = 1.0 + epsilon
    score = np.sum(z**2, axis=1) * epsilon[:, 0]
    reparameterized = 2 * z[:, 0]
    return score, reparameterized


numbers = [1, 2, 5, 10, 20, 50]
variances = {"score function": [], "reparameterization": []}
for latents in numbers:
    both = gradient_estimates(latents)
    for name, estimates in zip(variances, both, strict=True):
        variances[name].append(estimates.var())
    score_mean, reparameterized_mean = (estimates.mean() for estimates in both)
    print(
        f"{latents:2} latents: means {score_mean:5.2f} and {reparameterized_mean:.2f}, variances"
        f" {both[0].var():8.1f} and {both[1].var():.2f}, formula {4 * latents**2 + 14 * latents + 12}"
    )

drawn = new_figure(10, 4)
left, right = drawn.subplots(1, 2)
bins = np.linspace(-60, 60, 121)  # the few estimates outside are not drawn
for name, estimates in zip(variances, gradient_estimates(20), strict=True):
    weights = np.full(len(estimates), 1 / (len(estimates) * (bins[1] - bins[0])))
    left.hist(estimates, bins, weights=weights, alpha=0.6, label=name)
left.axvline(2, color="black", linestyle="--", label="true derivative")
left.set(xlabel="estimate from one draw, 20 latents", ylabel="density")
left.legend()
for name, values in variances.items():
    right.plot(numbers, values, marker="o", label=name)
right.set(xscale="log", yscale="log", xlabel="number of latents", ylabel="variance")
right.legend()
show(
    drawn, "gradients", "With one sample, the slope of f is far more informative than its value."
)

# %% [markdown]
# In training, there is only one sample for each image. So the VAE uses the reparameterization,
# which has the lower variance here: $z = \mu + \sigma \epsilon$, equation 4 in the paper (Kingma
# and Welling 2014). The reparameterization also works for $\sigma$: the derivative with respect to
# $\sigma$ is the mean of $f'(\mu + \sigma \epsilon) \epsilon$. The network returns $\log \sigma^2$,
# which may be any real number, whereas $\sigma$ has to be positive.
#
# ![The encoder returns a mean and a log-variance. Noise, scaled and shifted with them, is the sample z, from which the decoder computes pixel probabilities. One loss compares these with the image, and the other loss is the divergence of the encoder's distribution from the prior.](diagrams/04_vae.svg)
#
# *One training step of the VAE. The noise is an input, so gradients pass through the sample to the encoder.*
#
# ## 5. The training step
#
# In plain TensorFlow, the method is one function. Both terms of the loss are *sums*, over an
# image's pixels and over latents, and their mean over the images in the batch is minimized.


# %%
def plain_step(encoder, decoder, optimizer, x):
    """Updates both networks once; returns the mean negative ELBO of the batch, in nats."""
    with tf.GradientTape() as tape:
        mean, log_variance = encoder(x, training=True)
        z = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
        logits = decoder(z, training=True)
        bits = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
        reconstruction = tf.reduce_sum(bits, axis=(1, 2, 3))
        kl = 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_variance) - log_variance - 1, axis=1)
        loss = tf.reduce_mean(reconstruction + kl)
    weights = encoder.trainable_variables + decoder.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
    return loss


# %% [markdown]
# The same step as a model of this library has `fit`, `evaluate`, and reports of each term. The base
# class `GenerativeModel` provides these parts:
#
# - `edges` declares the data: images of this shape, with pixels from `low` to `high`.
#   `prepare_batch` checks a batch and returns its arrays by name. (`fit` accepts floats in this
#   range. Methods for finished models, such as `reconstruct` in section 8, use uint8 pixels from 0
#   to 255.)
# - `normal` returns the noise of the step. Its first argument is a name, which gives each noise of
#   a step its own random numbers.
# - `weighted` adds up the terms with the weights in `loss_weights`, `minimize` averages over the
#   batch and updates the networks, and `report` returns the values that `fit` shows.


# %%
class PlainVAE(GenerativeModel):
    """The encoder's outputs are the means and the logarithms of the variances of q(z|x)."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.edges["x"] = Images((28, 28, 1), low=0.0, high=1.0)

    def loss_weights(self):
        return {"reconstruction": 1.0, "kl": 1.0}

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def negative_elbo():
            mean, log_variance = self.encoder(x, training=True)
            epsilon = self.normal("latents", tf.shape(mean))
            z = mean + tf.exp(0.5 * log_variance) * epsilon
            logits = self.decoder(z, training=True)
            terms = {
                "reconstruction": -Bernoulli().log_prob(logits, x),
                "kl": kl_standard_normal(mean, log_variance),
            }
            return self.weighted(terms), terms

        loss, terms = self.minimize(negative_elbo)
        return self.report(terms, loss=loss)


# %% [markdown]
# The decoder returns logits: $d_i(z)$ is their sigmoid, which `Bernoulli` applies. We give the
# model only **two** latents. Then we can show all codes in the plane and compute integrals over
# latents on a grid. `start_at_mean` sets the biases of the decoder's last layer so that the decoder
# initially returns the mean digit, which saves the first training steps. `heads` are the encoder's
# two outputs. Before training, we compare both steps on 1,000 images: with a learning rate of 0,
# `plain_step` only computes the loss. The noise differs, so the last digit may differ.

# %%
encoder, decoder = mlp_networks(
    latent_dim=2, hidden=(200, 200), activation="relu", heads=("mean", "log_variance")
)
start_at_mean(decoder, train_images)
few = train_images[:1000]
still = keras.optimizers.SGD(0.0)
by_tape = plain_step(encoder, decoder, still, few)
plain = PlainVAE(encoder, decoder)
plain.compile(keras.optimizers.Adam(2e-3))
by_class = plain.evaluate(few, batch_size=1000, return_dict=True, verbose=0)["loss"]
print(f"before training: {by_tape:.1f} nats by plain_step, {by_class:.1f} nats by PlainVAE")
history = plain.fit(train_images, batch_size=200, epochs=EPOCHS, verbose=0).history
for name in ("loss", "reconstruction_loss", "kl_loss"):
    print(f"{name:20} first epoch {history[name][0]:6.1f}   last {history[name][-1]:6.1f} nats")

# %% [markdown]
# The library's class `VAE` has the same step, and adds sampling, encoding, scores, and saving. It
# accepts the networks unchanged, so the new model is already trained. `evaluate` runs the step
# without changing any weights and with the same noise in each evaluation, so both models have the
# same loss:

# %%
model = VAE(encoder, decoder)
model.compile("adam")
losses = model.evaluate(test_images, batch_size=100, return_dict=True, verbose=0)
same = plain.evaluate(test_images, batch_size=100, return_dict=True, verbose=0)
print(f"negative ELBO of test images by VAE      {losses['loss']:.2f} nats")
print(f"negative ELBO of test images by PlainVAE {same['loss']:.2f} nats")

# %% [markdown]
# ## 6. Is it true? log p(x) = ELBO + KL
#
# With two latents, we can sum $p(z) p(x \mid z)$ over a fine grid of the plane. The sum gives $\log
# p(x)$ without an encoder. On the same grid, we compute the posterior and the divergence of the
# encoder's $q$ from the posterior. The ELBO is estimated with samples from $q$, as in training.
#
# The last column needs no grid and works for any number of latents. The ELBO is the mean of the
# logarithms of the **weights** $w = p(x, z) / q(z \mid x)$. The mean of the weights *themselves* is
# $\int q(z \mid x) w dz = \int p(x, z) dz = p(x)$. So we can average $k$ weights first and compute
# the logarithm afterward. For $k = 1$, the expected value of this estimate is the ELBO. By Jensen's
# inequality, the estimate never exceeds $\log p(x)$ on average. On average, the estimate also does
# not fall as $k$ grows: a mean of $k + 1$ weights is the mean of the $k + 1$ means that omit one
# weight, and the logarithm of that mean is at least the mean of their logarithms. The expected
# value of the estimate is the **importance-weighted bound**, which papers report as the
# log-likelihood of a VAE. If the weights differ strongly, only a few of them matter. Their
# effective number is $(\sum w)^2 / \sum w^2$, the `effective_sample_size`. The relative variance of
# the mean weight, $(E w^2 / (E w)^2 - 1) / k$, is about the reciprocal of this number or less, and
# a small relative error of the mean is approximately the error of its logarithm. So the error in
# the table is the reciprocal of the square root of the effective sample size. The last column is
# the ratio of the mean weight to $p(x)$, whose expected value is 1.


# %%
def log_joint(z, x):
    """Returns log p(z) + log p(x|z) per point `[n, 2]` and image: [n, images]."""
    pixels = x.reshape(len(x), -1)
    parts = []
    for some in np.array_split(z, max(len(z) // 1000, 1)):
        logits = np.asarray(decoder(some)).reshape(len(some), -1)
        # x log d + (1 - x) log(1 - d) is x times the logit, minus log(1 + exp(logit)).
        likelihood = logits @ pixels.T - np.logaddexp(0, logits).sum(axis=1, keepdims=True)
        parts.append(likelihood + log_normal(some, 0, np.zeros(2))[:, None])
    return np.concatenate(parts).astype("float64")


def square_grid(center, reach, side):
    """Returns points `[side * side, 2]` of a square, and the area per point."""
    axis = np.linspace(-reach, reach, side)
    points = center + np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return points.astype("float32"), (axis[1] - axis[0]) ** 2


shown = [int(np.flatnonzero(test_labels == digit)[0]) for digit in (1, 2, 4, 7, 8)]
x = test_images[shown]
means, log_variances = model.encode(x)

points, area = square_grid(0.0, 4.5, SIDE)
joint = log_joint(points, x)
log_p = np.logaddexp.reduce(joint, axis=0) + np.log(area)
posterior = joint - log_p  # log p(z|x)
log_q = np.stack(
    [log_normal(points, m, v) for m, v in zip(means, log_variances, strict=True)], axis=1
)
kl = np.sum(np.exp(log_q) * (log_q - posterior), axis=0) * area

by_draws = importance_weighted_nll(model, x, samples=10_000, chunk=500)
errors = by_draws["effective_sample_size"] ** -0.5
print("digit    log p     ELBO     KL   ELBO + KL   10,000 weighted draws   mean weight / p(x)")
for row, digit in enumerate(test_labels[shown]):
    elbo = by_draws["elbo"][row]
    print(
        f"{digit:5} {log_p[row]:8.2f} {elbo:8.2f} {kl[row]:6.2f} {elbo + kl[row]:11.2f}"
        f" {-by_draws['nll'][row]:16.2f} ± {errors[row]:.2f}"
        f" {np.exp(-by_draws['nll'][row] - log_p[row]):16.2f}"
    )

# %% [markdown]
# The ELBO and the divergence add up to $\log p(x)$, except for the sampling error of the ELBO,
# usually a few hundredths of a nat. Where the estimated error is small and $q$ covers the
# posterior, the mean weight also agrees with $p(x)$. But the error itself is estimated from the
# samples, so two warnings apply. Where $q$ misses a part of the posterior, no sample reveals this
# part: the mean weight covers only the rest of $p(x)$, and the last column is too small, even if
# the estimated error is tiny. And where the estimated error is a few tenths of a nat, only a
# handful of the 10,000 weights count, and the error is barely meaningful. The pictures of the
# posteriors below show the reason for each value in the last column that is far from 1.
#
# How fast does the bound rise with $k$? We compute the weights from their definition. Values
# slightly below 0 in the plot are sampling errors.

# %%
counts = [1, 3, 10, 30, 100, 300, 1000]
gaps = {}
for row in (0, 2, 4):
    epsilon = random.normal(size=(10_000, 2)).astype("float32")
    z = means[row] + np.exp(0.5 * log_variances[row]) * epsilon
    log_w = log_joint(z, x[row : row + 1])[:, 0] - log_normal(z, means[row], log_variances[row])
    gap = []
    for k in counts:
        groups = log_w[: 10_000 // k * k].reshape(-1, k)
        bound = np.mean(np.logaddexp.reduce(groups, axis=1) - np.log(k))
        gap.append(log_p[row] - bound)
    gaps[f"a digit {test_labels[shown][row]}"] = (counts, gap)
plot = line_plot(
    gaps, "weights that are averaged, k", "log p(x) minus the bound, nats", log_x=True
)
show(plot, "bounds", "The bound approaches log p(x) as more weights are averaged.")

# %% [markdown]
# Why is the divergence not 0? The pictures show the true posterior of each of these digits in gray,
# and the encoder's normal distribution in red. The divergence has two sources. One is the
# *approximation gap*: the encoder's distribution can only be an axis-aligned ellipse, but a
# posterior may be tilted, or have two parts. The other is the *amortization gap*: a single network
# computes this distribution for all images, so the ellipse is not always at the best position. To
# separate them, we also print the divergence of the ellipse with the posterior's own mean and
# variances. Each panel is a square around the ellipse, and its title also shows how much of the
# posterior the square contains. Samples from $q$ are almost never outside of the square, so they
# would miss the rest.

# %%
drawn = new_figure(10, 3.7)
angles = np.linspace(0, 2 * np.pi, 100)
panels = drawn.subplots(2, 5, height_ratios=(1, 2))
inside_panels = np.zeros(5)
for column, index in enumerate(shown):
    above, below = panels[:, column]
    above.imshow(test_images[index][..., 0], cmap="gray")
    above.set_axis_off()
    deviation = np.exp(0.5 * log_variances[column])
    reach = 7 * deviation.max()
    close, patch = square_grid(means[column], reach, 80)
    density = np.exp(log_joint(close, x[column : column + 1]) - log_p[column]).reshape(80, 80)
    left, bottom = means[column] - reach
    right, top = means[column] + reach
    below.imshow(density, cmap="gray_r", origin="lower", extent=(left, right, bottom, top))
    for size in (1, 2):
        ring = means[column][:, None] + size * deviation[:, None] * [
            np.cos(angles),
            np.sin(angles),
        ]
        below.plot(*ring, color="tab:red", linewidth=1.5)
    inside_panels[column] = min(density.sum() * patch, 1)
    below.set(
        title=f"KL {kl[column]:.2f} nats\n{inside_panels[column]:.0%} in panel",
        xlabel="latent 1",
    )
    below.locator_params(nbins=3)
panels[1, 0].set_ylabel("latent 2")
show(
    drawn,
    "posteriors",
    "The posterior of five digits (gray), and the encoder's q at 1 and 2 standard deviations (red).",
)
mass = np.exp(posterior) * area
own_means = mass.T @ points
own_log_variances = np.log(mass.T @ points**2 - own_means**2)
print("digit   divergence of q   of the ellipse with the posterior's mean and variances")
for row, digit in enumerate(test_labels[shown]):
    log_own = log_normal(points, own_means[row], own_log_variances[row])
    own_kl = np.sum(np.exp(log_own) * (log_own - posterior[:, row])) * area
    print(f"{digit:5} {kl[row]:17.2f} {own_kl:21.2f}")
missed = test_labels[shown][inside_panels < 0.9]
print("Digits with more than a tenth outside the panel:", ", ".join(map(str, missed)) or "none")

# %% [markdown]
# The approximation gap is at most the second column, so for these test digits, most of the
# divergence is the amortization gap.
#
# ## 7. The plane of latents
#
# The decoder returns an image for every point in the plane. We use points at equal steps of the
# prior's cumulative probability: latent 1 grows to the right and latent 2 upward, both from -1.77
# to 1.77. Neighboring images look alike, and most images are digits or between two digits. The
# divergence from the prior keeps the codes together, as section 9 shows.
#
# In the second picture, points are the codes of test digits, with the same directions. We also
# print how often the nearest other code belongs to the same class, and which classes mix most.

# %%
show(
    manifold(model, side=13),
    "plane",
    "The decoder's images of 13 x 13 points. Latent 1 grows to the right, and latent 2 upward.",
)

# %%
test_means, _ = model.encode(test_images)
codes = {"means of q(z|x), test digits": test_means}
show(
    code_scatter(codes, test_labels, axis_names=("latent 1", "latent 2")),
    "codes",
    "The encoder has seen no labels, yet it groups most digits by class; some classes overlap.",
)
near, labels = test_means[:2000], test_labels[:2000]
distances = np.sum((near[:, None] - near) ** 2, axis=-1)
np.fill_diagonal(distances, np.inf)
neighbors = labels[np.argmin(distances, axis=1)]
print(f"nearest other code has the same label: {np.mean(neighbors == labels):.0%}")
pairs = np.sort(np.stack([labels, neighbors]), axis=0)[:, neighbors != labels]
found, times = np.unique(pairs, axis=1, return_counts=True)
for pair in np.argsort(-times)[:3]:
    print(f"mixed: {found[0, pair]} and {found[1, pair]}, {times[pair]} times")

# %% [markdown]
# The prior spreads the codes. An autoencoder with the same networks, but no divergence, may put its
# codes anywhere. The VAE's codes fill about the region of the prior, and with four times the weight
# of the divergence (section 9), even more evenly.
#
# ![Three panels with the codes of test digits, and circles with radii 1, 2, and 3.](../pictures/codes.png)
#
# *The divergence pulls codes into the region of the prior. Codes of test digits with two latents, all on the same axes. For both VAEs, each code is a sample of q. Circles: 1, 2, and 3 standard deviations of N(0, I). Colors from dark to light: the digits 0 to 9.*
#
# The codes of all images together have the density $q(z) = E_x q(z \mid x)$, the **aggregate
# posterior**. Split $\log (q(z \mid x) / p(z))$ into $\log (q(z \mid x) / q(z))$ and
# $\log (q(z) / p(z))$: averaged over the data, the divergence is $I(x, z) + \mathrm{KL}(q(z),
# p(z))$, with the mutual information $I$ of images and codes. Samples from the prior are good only
# where $q(z)$ has mass. Where it does not, as between the clusters above, the decoder was never
# trained. A remedy is to fit a second distribution to the codes afterward, such as a Gaussian
# mixture, and to sample from it; the library does this for tables.
#
# With more latents, no plane shows all of them. But each latent can be varied alone:
#
# ![Five rows of digits. In each row, one latent changes from -3 to 3, and the digit changes gradually.](../pictures/traversals.png)
#
# *Changing one latent changes a digit's shape gradually, but no latent has one meaning. Rows: the five of the published VAE's 50 latents with the most information, from -3 to 3; the other latents stay at the code of one test digit.*
#
# ## 8. The class
#
# Two latents are good for a map but too few for good digits. `VAE.for_images` builds a model with
# convolutional networks and any number of latents, here eight. (The networks, the number of passes,
# and the learning rate differ too, so the comparison does not measure the effect of the latents
# alone.)

# %%
convolutional = VAE.for_images((28, 28, 1), latent_dim=8, filters=(16, 32))
convolutional.compile(keras.optimizers.Adam(3e-3))
convolutional.fit(train_images, batch_size=50, epochs=CLASS_EPOCHS, verbose=0)
better = convolutional.evaluate(test_images, batch_size=100, return_dict=True, verbose=0)
for latents, found in ((2, losses), (8, better)):
    print(f"{latents} latents: negative ELBO of test images {found['loss']:.1f} nats")


# %%
def as_uint8(images):
    return (255 * images).astype("uint8")


some = test_images[:12]
rows = [as_uint8(some), model.reconstruct(as_uint8(some))]
rows.append(convolutional.reconstruct(as_uint8(some)))
names = ["test digits", "2 latents", "8 latents"]
show(
    captioned(rows, names),
    "reconstructions",
    "Test digits, and their reconstructions from 2 and from 8 latents.",
)

# %%
show(
    samples(convolutional, n=60, columns=12),
    "samples",
    "Images of 60 samples from the prior: digits, images between two digits, and smudges.",
)

# %% [markdown]
# ## 9. The effect of weighting the divergence
#
# Multiply the divergence in the loss by a number $\beta$. With $\beta = 1$, the loss is the
# negative ELBO. With a larger $\beta$, the loss bounds $-\log p(x)$ less tightly. With a smaller
# $\beta$, the loss need not be a bound. But changing $\beta$ shows the effects of the two terms. We
# train three models and look at reconstructions and samples.

# %%
rows = [as_uint8(some)]
names = ["test digits"]
print("beta   reconstruction     KL   negative ELBO   latents in use   typical width of q")
for beta in (0.1, 1.0, 10.0):
    networks = mlp_networks(
        latent_dim=20, hidden=(200, 200), activation="relu", heads=("mean", "log_variance")
    )
    start_at_mean(networks[1], train_images)
    weighted = VAE(*networks, beta=beta)
    weighted.compile(keras.optimizers.Adam(2e-3))
    weighted.fit(train_images, batch_size=200, epochs=BETA_EPOCHS, verbose=0)
    found = weighted.evaluate(test_images, batch_size=100, return_dict=True, verbose=0)
    reconstruction = found["reconstruction_loss"]
    divergence = found["kl_loss"]
    # The mean of an unused latent is the same for all images: that of the prior.
    in_use = np.sum(np.var(weighted.encode(test_images[:1000])[0], axis=0) > 0.01)
    print(
        f"{beta:4} {reconstruction:16.1f} {divergence:6.1f} {reconstruction + divergence:15.1f}"
        f" {in_use:16} {np.exp(-divergence / 20):20.2f}"
    )
    rows += [weighted.reconstruct(as_uint8(some)), weighted.sample(12, seed=0)]
    names += [f"beta {beta:g}, reconstructed", f"beta {beta:g}, samples"]
show(
    captioned(rows, names),
    "beta",
    "A small beta gives good reconstructions and bad samples; a large one gives the mean digit.",
)
for name, trained in (("20 latents, beta 10", weighted), ("2 latents, section 5", model)):
    found = trained.evaluate(train_images, batch_size=100, return_dict=True, verbose=0)
    loss = found["reconstruction_loss"] + 10 * found["kl_loss"]
    print(f"{name}: loss with beta 10 on training images {loss:.1f} nats")

# %% [markdown]
# The last column is $e^{-\mathrm{KL} / 20}$. If a latent has the same standard deviation $\sigma$
# for all images, and the mixture of all $q$ has the variance of the prior, then $E \mu^2 + \sigma^2
# = 1$, and the formula in section 3 is $-\log \sigma$ on average. So this column is the width of
# $q$ if all 20 latents are used alike.
#
# With $\beta = 0.1$, a latent costs little, and each $q$ is narrow. Samples from the prior mostly
# fall *between* such codes, where the decoder has not been trained. With $\beta = 10$, training
# ends where every $q$ equals the prior, and the decoder returns the mean digit for every $z$. This
# solution is called *posterior collapse*. The collapsed model is not even the best solution for
# this loss, as the last two lines show: on the same training images, the model with two latents,
# although trained with $\beta = 1$, has a smaller loss. Early in training, latents improve the
# reconstruction only a little and increase the divergence term a lot, and training does not recover
# from the collapse. *KL annealing*, which raises $\beta$ from 0 to 1 during the first steps, often
# avoids the collapse.
#
# **Conditions.** A *conditional* VAE (Sohn et al. 2015) models $p(x \mid y)$, for a class or for a
# part of an image $y$. All three distributions receive $y$, and the bound has the same form:
#
# $$\log p(x \mid y) \ge E_q [\log p(x \mid z, y)] - \mathrm{KL}(q(z \mid x, y), p(z \mid y)).$$
#
# If $y$ is one quarter of a digit and $x$ the rest, samples of $z$ give several *completions*, where a
# network trained on the squared error returns their mean. Such **structured prediction** has outputs
# whose parts depend on each other. With a class, $z$ no longer has to encode the class, so it encodes
# the style. Other data need only another $p(x \mid z)$: a normal or logistic density for gray and
# colors, a product of categorical and normal distributions for the columns of a table, where missing
# values are left out of the sum. With a *strong* decoder, such as a PixelCNN, the latents may not be
# used at all ([chapter 7](07_autoregressive.md)).
#
# ## 10. Common claims, and what is true
#
# - **"The loss is the mean squared error plus the KL divergence."** The squared error is the
#   negative log-likelihood of a normal distribution, but *summed* over pixels and divided by twice
#   the variance of this distribution. Code that *averages* over 784 pixels and *sums* over latents
#   in fact has $\beta = 784 / (2 s^2)$ for the variance $s^2$. With images in $[0, 1]$ and $s = 1$,
#   that is 392, far more than the 10 in section 9.
# - **"The VAE generates blurred images."** The *means* are blurred. Pictures, including those in
#   this chapter, show $d(z)$, the mean of $p(x \mid z)$, not a sample from it. This mean is blurred
#   where $z$ leaves open which pixels are white: if an edge may be here or one pixel farther, its
#   mean is gray. A sample would have white noise at the edges instead, because pixels are
#   independent given $z$. So the flaw is the model of the pixels and too little information in $z$,
#   which the KL term limits (section 9), not that the bound is below $\log p(x)$.
# - **"The reparameterization always has the lower variance."** For smooth functions, it usually
#   does. But there are exceptions, as in question 2.
# - **"The KL term is a regularizer that is added."** The KL term was not added. It is a part of the
#   bound, with weight 1.
#
# ## Questions
#
# **1.** The bound is $\log p(x) - \mathrm{KL}(q(z \mid x), p(z \mid x))$. Training *the decoder*
# can raise the bound in two ways. Which of these ways is undesirable?
#
# <details markdown="1"><summary>Answer</summary>
#
# Training can raise $\log p(x)$, which is the goal. Or it can make the posterior of the *decoder*
# simpler, so that an axis-aligned ellipse fits it better. A decoder that sacrifices some $\log
# p(x)$ for a simpler posterior can have a higher bound. So the trained decoder is not the
# maximum-likelihood decoder. More weights in the bound ([chapter 3](03_latent_variables.md),
# `IWAE`) or a richer $q$ reduce this effect.
#
# </details>
#
# **2.** Find a function $f$ for which the score function has the *lower* variance.
#
# <details markdown="1"><summary>Answer</summary>
#
# A bounded function with steep slopes is an example, such as $f(z) = \sin(10 z)$. Its slope is $10
# \cos(10 z)$, whose variance is about 50. The score-function estimate multiplies values between -1
# and 1 by $\epsilon$, so its variance is below 1, here about 0.5. And where $z$ takes only integer
# values, no slope exists: discrete latents need other methods ([chapter
# 5](05_discrete_latents.md)).
#
# </details>
#
# **3.** Change the code: in section 9, train with $\beta = 0$. What do samples look like, and what
# happens to the encoder's variances?
#
# <details markdown="1"><summary>Answer</summary>
#
# Write `for beta in (0.0, 1.0, 10.0)`. The samples of the first model are strokes that do not form
# digits, and its divergence is far above the divergence for $\beta = 0.1$. With $\beta = 0$, noise
# in the latents only harms the reconstruction, so the variances fall toward 0, and the model
# becomes the plain autoencoder of chapter 1. Nothing keeps the means near 0 either: they spread far
# outside $N(0, I)$, so samples from the prior fall into a small region in the center, with few
# codes.
#
# </details>
#
# **4.** With pen and paper: a latent is 0 or 1 with probability $1/2$ each, and an image is a
# single pixel, with $p(x = 1 \mid z)$ equal to 0.8 for $z = 1$ and 0.2 for $z = 0$. For $x = 1$,
# the encoder returns $q(z = 1) = 0.6$. Compute $\log p(x)$, both forms of the ELBO, the divergence
# from the posterior, and the expected bound of $k = 2$ averaged weights.
#
# <details markdown="1"><summary>Answer</summary>
#
# $p(x) = 0.4 + 0.1 = 0.5$, so $\log p(x) = -0.693$. With the joint probabilities, the ELBO is $0.6
# \log (0.4 / 0.6) + 0.4 \log (0.1 / 0.4) = -0.798$. In the other form, the reconstruction term is
# $0.6 \log 0.8 + 0.4 \log 0.2 = -0.778$, and the divergence from the prior is $0.6 \log 1.2 + 0.4
# \log 0.8 = 0.020$. The posterior is $p(z = 1 \mid x) = 0.4 / 0.5 = 0.8$, and the divergence from
# it is $0.6 \log (0.6 / 0.8) + 0.4 \log (0.4 / 0.2) = 0.105$, the difference of $-0.693$ and
# $-0.798$.
#
# The weights are $2/3$ for $z = 1$ and $1/4$ for $z = 0$. Two samples have the mean weight $2/3$,
# $11/24$, or $1/4$, with the probabilities 0.36, 0.48, and 0.16. So the bound is $0.36 \log
# (2/3) + 0.48 \log (11/24) + 0.16 \log (1/4) = -0.742$, between the ELBO and $\log p(x)$.
#
# </details>
#
# **5.** With pen and paper: subtract a number $c$ from $f$ in the score-function estimate of
# section 4. Why is the estimate still unbiased, which $c$ is best for $n$ latents, and what is its
# variance?
#
# <details markdown="1"><summary>Answer</summary>
#
# The mean changes by $-c E \epsilon_1 = 0$. The mean square becomes $E [ f^2 \epsilon_1^2 ] - 2 c E
# [ f \epsilon_1^2 ] + c^2$, which is smallest at $c = E [ f \epsilon_1^2 ] = 4 + 2 (n - 1) = 2 n +
# 2$, where it is smaller by $(2 n + 2)^2$. So the variance is $4 n^2 + 14 n + 12 - (2 n + 2)^2 = 6
# n + 8$. It grows with $n$ instead of with $n^2$, but is still 308 for 50 latents, and the
# reparameterization has 4. In practice, $c$ is an estimate of $E f = 2 n$, a *baseline* ([chapter
# 5](05_discrete_latents.md)).
#
# </details>
#
# **6.** With pen and paper: for one number $x$ and one latent, let $p(x \mid z) = N(w z, s^2)$ with
# a fixed $s$. The data have mean 0 and variance $v$. Show that the weight $\beta$ of section 9 has
# the effect of a larger $s$, and find the values of $\beta$ for which the best $w$ is 0.
#
# <details markdown="1"><summary>Answer</summary>
#
# Divide the loss $E (x - w z)^2 / (2 s^2) + \beta\, \mathrm{KL}$ by $\beta$: up to a constant, the
# result is the negative ELBO for the variance $\beta s^2$ instead of $s^2$. The posterior is normal
# with a mean that is linear in $x$, so an encoder can represent it, and the bound is tight. So the
# best $w$ maximizes the likelihood of $N(0, w^2 + \beta s^2)$, which is largest at
# $w^2 + \beta s^2 = v$ and falls beyond. For $\beta \ge v / s^2$, the best $w$ is therefore 0:
# every $q$ is the prior. Unlike in section 9, this collapse is the best solution. With several
# latents, directions of the data with a variance below $\beta s^2$ are lost ([chapter
# 6](06_disentangling.md)).
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md). Lower is better for nats and
# bits. Our `IWAE` starts from the weights of our `VAE` and is trained for 30 more passes.
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | the VAE on binarized MNIST | `VAE` | [vae_mnist](../../recipes/vae_mnist.py) | 86.66 nats, paper 86.76 | [Kingma, Welling 2014](https://arxiv.org/abs/1312.6114); value from [Burda et al. 2016](https://arxiv.org/abs/1509.00519) |
# | more weights in the bound | `IWAE` | [iwae_mnist](../../recipes/iwae_mnist.py) | 85.46 nats, paper 84.78 | [Burda et al. 2016](https://arxiv.org/abs/1509.00519) |
# | naive Monte Carlo | `PriorSampledModel` | [naive_monte_carlo_mnist](../../recipes/naive_monte_carlo_mnist.py) | 146.81 nats; boosted trees 91.98 | [Kingma, Welling 2014](https://arxiv.org/abs/1312.6114) |
# | a VAE on photographs | `VAE` | [convolutional_vae_celeb_a](../../recipes/convolutional_vae_celeb_a.py) | 6.168 bits per dimension, from 1,800 of 182,637 photographs; WebP 4.684 | [Kingma, Welling 2014](https://arxiv.org/abs/1312.6114) |
