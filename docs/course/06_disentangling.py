# %% [markdown]
# # 6. Disentangling, hierarchies, few labels, biased data
#
# A variational autoencoder ([chapter 4](04_vae.md)) has a code for each image. What can we expect
# from such codes, beyond new images? Four hopes are common, and this chapter examines each of them:
#
# - that each latent has one meaning (**disentangling**);
# - that a hierarchy of latents goes from coarse to fine;
# - that codes make the most of a few labels;
# - that codes reveal which examples are rare, so that a bias in the data can be corrected.
#
# None of these hopes follows from the likelihood alone. After this chapter, you can prove this,
# explain when and why the methods work, and name the baselines with which they should be compared.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on less data and with fewer steps.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.stats import norm, ortho_group
from sklearn.mixture import GaussianMixture

import keras_gen
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Images
from keras_gen.core.schedules import Linear
from keras_gen.data import (
    Shapes,
    Source,
    few_labels,
    rare_color,
    small_images,
    weighted_stream,
)
from keras_gen.losses import Bernoulli, Normal, decomposed_kl
from keras_gen.metrics import group_report, mutual_information_gap
from keras_gen.networks import (
    ladder_networks,
    linear_networks,
    mlp_decoder,
    mlp_encoder,
    mlp_networks,
    start_at_mean,
    with_head,
)
from keras_gen.vae import DBVAE, VAE, BetaTCVAE, LadderVAE
from keras_gen.workshop.baselines import (
    PrincipalComponents,
    few_label_baselines,
    ink_moments,
    svm_accuracy,
)
from keras_gen.workshop.visualize import captioned, new_figure, show, traversals

QUICK = bool(os.environ.get("QUICK"))
SCORED = 400 if QUICK else 2_000  # images whose codes are scored
STEPS = 2 if QUICK else 1000  # for each model of shapes
SEEDS = (0,) if QUICK else (0, 1)  # for each model of shapes
DIGITS = 500 if QUICK else 20_000  # maximum number of training digits
TESTED = 200 if QUICK else 5_000  # maximum number of test digits
DIGIT_STEPS = 2 if QUICK else 800  # for each model of digits
PER_CALL = 1 if QUICK else 50  # steps per TensorFlow call
GRAPH = 200 if QUICK else 3_000  # digits in the graph for label spreading

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)


def train(model, stream, steps, per_call=PER_CALL, **optimizers):
    """Trains on an endless stream of batches and returns the metrics of both halves."""
    optimizers = optimizers or {"optimizer": Adam(CosineDecay(1e-3, steps))}
    model.compile(**optimizers, steps_per_execution=per_call, run_eagerly=QUICK)
    half = max(steps // 2, 1)
    return model.fit(stream, steps_per_epoch=half, epochs=2, verbose=0).history


# %% [markdown]
# ## 1. One latent, one meaning
#
# The usual test is a dataset whose **factors** are known. Ours has white shapes on black: a square,
# an ellipse, or a heart, in 4 sizes and 8 orientations, at 16 positions along $x$ and 16 along $y$.
# The dataset contains all 24,576 combinations. A code is called **disentangled** if each factor can
# be read from a single latent.
#
# One score for this is the **mutual information gap**, MIG (Chen et al. 2018). For a factor $v$,
# compute the mutual information $I(z_j; v)$ with each latent: the number of nats saved in
# predicting $v$ if $z_j$ is known. The gap is the difference between the largest and the
# second-largest mutual information, divided by the entropy of $v$. If one latent determines $v$ and
# no other latent is informative, the gap is 1. The MIG is the mean over all factors.
#
# The repository has a model that was trained on these shapes for a few minutes, a VAE with annealed
# capacity (Burgess et al. 2018), which `keras_gen.load` returns with its networks. Its loss for
# each image is
#
# $$-\log p(x \mid z) + \gamma\, | \mathrm{KL}(q(z \mid x), p(z)) - C |$$
#
# with a large weight $\gamma$, so the divergence is kept near the **capacity** $C$, which grows
# from 0 during training. The latents that save the most nats are used first. We evaluate the
# model's latents and two simple codes: principal components, and three handcrafted features (the
# amount of ink, and the two coordinates of its center).

# %%
shapes = Shapes(32, 2 if QUICK else 4, 2 if QUICK else 8, 8 if QUICK else 16, turn=0.25)
images = shapes.source().arrays()
rows = random.permutation(len(images))[:SCORED]
values = shapes.factors.values(rows)
some_images = images[rows]
published = keras_gen.load("disentanglement_factors")
means, log_variances = published.encode(some_images)


def mig(codes, values=values):
    return mutual_information_gap(codes, values)


print(
    f"{len(images):,} images of {dict(zip(shapes.factors.names, shapes.factors.sizes, strict=True))}"
)
print("code                          MIG")
cheap = {
    "annealed capacity, published": means,
    "10 principal components": PrincipalComponents(images, 10).encode(some_images),
    "ink and its center, by hand": ink_moments(some_images),
}
for name, codes in cheap.items():
    print(f"{name:28} {mig(codes):.3f}")
in_use = np.argsort(np.exp(log_variances).mean(axis=0))
middle = shapes.render(np.array([shapes.factors.sizes]) // 2)
show(
    traversals(published, middle, dimensions=in_use[:5]),
    "traversals",
    "Five latents of the published model, the most used first. Each row varies one from -3 to 3.",
)
print("latent   codes of images: from, to   fraction of the prior outside this range")
for latent in in_use[:3]:
    low, high = means[:, latent].min(), means[:, latent].max()
    print(f"{latent:6} {low:23.2f} {high:6.2f} {norm.cdf(low) + norm.sf(high):28.0%}")

# %% [markdown]
# Three latents are active: one moves the shape vertically, one moves it horizontally, and one
# changes its size. The other latents have no effect. Shape and orientation are barely encoded. The
# MIG reflects this: two of the five factors are well separated, and a third factor is partly
# separated. The three handcrafted features, which also ignore shape and orientation, score higher.
# Every disentanglement score should be reported next to such a baseline.
#
# The third latent shows another fault, which no such score detects. On the left of its row, the
# decoder returns fragments that are not shapes. The printed ranges explain this. The prior of each
# latent is $N(0, 1)$, but images have codes only within a limited range. For the size latent, about
# a third of the prior is outside this range, and there, the decoder was never trained. The
# distribution of the codes of all images, the **aggregate posterior** $q(z)$ of section 4, is not
# the prior, so some samples from the prior are decoded to images that are not shapes.
#
# ## 2. The likelihood does not see the axes
#
# Let $z \sim N(0, I)$, and let $R$ be any rotation. Rotate the latents, $z' = R z$, and rotate them
# back before decoding: $d'(z') = d(R^T z')$. The density of $N(0, I)$ depends only on $|z|$, so
# $z'$ has the same prior. Hence
#
# $$p'(x) = \int N(z'; 0, I) p(x \mid R^T z') dz' = \int N(z; 0, I) p(x \mid z) dz = p(x).$$
#
# Both models assign the same probability to *every* image. If one model is disentangled, the other
# is not: each of its latents mixes several factors. So no amount of data and no likelihood can
# distinguish the two models (Locatello et al. 2019, who show it for any prior with independent
# latents). Disentangling by likelihood alone is impossible. Something else must determine the axes:
# labels, or a preference in the model or the data.
#
# What determines the axes in a VAE? The *encoder* has a normal distribution with **independent**
# latents. Rotated latents have a correlated posterior, which such a $q$ cannot match. Let the
# posterior be normal with variances $v_j$. After a rotation by $R$, its inverse covariance is $P =
# R \, \mathrm{diag}(1 / v) R^T$. The best $q$ with independent latents has the variances $1 /
# P_{jj}$ ([chapter 3](03_latent_variables.md)), and the bound loses
#
# $$\frac{1}{2} \sum_j \left( \log P_{jj} + \log v_j \right) \ge 0.$$
#
# We rotate pairs of the published model's latents and observe both the MIG and the nats lost. The
# first pair consists of the two most used latents, and the second pair consists of an active and an
# inactive latent.

# %%
v = np.exp(log_variances.astype("float64"))


def turned(angle, first, second):
    """Returns the rotation of two latents."""
    rotation = np.eye(means.shape[1])
    rotation[[first, first, second, second], [first, second, first, second]] = (
        np.cos(angle),
        -np.sin(angle),
        np.sin(angle),
        np.cos(angle),
    )
    return rotation


def lost(rotation):
    """Returns the mean loss of the best independent q for rotated latents, nats."""
    precisions = (1 / v) @ (rotation**2).T  # the diagonal of R diag(1 / v) R^T
    return 0.5 * np.mean(np.sum(np.log(precisions) + np.log(v), axis=1))


angles = np.linspace(0, 90, 4 if QUICK else 11)
pairs = {"two used latents": in_use[:2], "a used and an unused one": in_use[[0, -1]]}
drawn = new_figure(10, 3.9)
left, right = drawn.subplots(1, 2)
for name, pair in pairs.items():
    rotations = [turned(np.radians(angle), *pair) for angle in angles]
    left.plot(angles, [mig(means @ rotation.T) for rotation in rotations], label=name)
    right.plot(angles, [lost(rotation) for rotation in rotations], label=name)
    print(f"{name:25} mean variances {v[:, pair].mean(axis=0).round(4)}")
left.set(xlabel="angle of the rotation, degrees", ylabel="MIG")
right.set(xlabel="angle of the rotation, degrees", ylabel="bound that is lost, nats")
right.legend()
show(drawn, "turned", "Rotating two latents changes the MIG (left) and the bound (right).")

rotation = ortho_group.rvs(means.shape[1], random_state=0)
print(
    f"all latents turned at random: MIG {mig(means @ rotation.T):.3f}, lost {lost(rotation):.2f}"
)

# %% [markdown]
# The two position latents have the same small variance. After a rotation by 45°, the model
# describes diagonals, its MIG is halved, and the bound loses a few hundredths of a nat: to the VAE,
# both descriptions are equally good. The result is different for the active and the inactive
# latent. Their variances differ by a factor of ten thousand, and mixing them costs up to 4 nats. So
# a VAE by itself separates *active* from inactive latents, and latents with different precisions
# from each other (Rolinek et al. 2019). Whether those axes are the factors that a person has in
# mind depends on the data.
#
# ## 3. What a larger weight of the divergence does
#
# The $\beta$-VAE multiplies the divergence by $\beta > 1$ (Higgins et al. 2017). For a linear
# decoder, we can compute the effect. Let $p(x \mid z) = N(W z + b, \sigma^2 I)$. The loss is
#
# $$\frac{|x - b - W z|^2}{2 \sigma^2} + \beta \, \mathrm{KL}
# = \beta \left( \frac{|x - b - W z|^2}{2 \beta \sigma^2} + \mathrm{KL} \right),$$
#
# plus a constant. The expression in parentheses is the loss of an ordinary VAE whose noise has the
# variance $\beta \sigma^2$. Chapter 3 gives the solution. The columns of $W$ are principal
# components. A component whose variance $\lambda_i$ in the data is below $\beta \sigma^2$ is
# dropped. For the remaining components, $q$ has the variance $\beta \sigma^2 / \lambda_i$, and the
# mean cost of each component is
#
# $$\mathrm{KL}_i = \frac{1}{2} \log \frac{\lambda_i}{\beta \sigma^2}.$$
#
# So $\beta$ is a threshold: the larger it is, the fewer latents are active. It increases the
# *noise*, not disentanglement. We train linear VAEs on the shapes and compare the result with this
# theory.

# %%
SIGMA = 1.0
LATENTS = 24
BETAS = (1.0,) if QUICK else (1.0, 4.0)
pixels = images.reshape(len(images), -1) / 127.5 - 1
eigenvalues = np.linalg.eigvalsh(np.cov(pixels.T, bias=True))[::-1]
source = Source(images)


def linear_vae(beta):
    """Returns a linear encoder of means, equal initial variances, and a linear decoder."""
    mean_encoder, decoder = linear_networks(pixels.mean(axis=0).reshape(32, 32, 1), LATENTS)
    codes = mean_encoder.output
    log_variance = keras.layers.Dense(LATENTS, kernel_initializer="zeros")(codes)
    encoder = keras.Model(mean_encoder.input, [codes, log_variance])
    return VAE(encoder, decoder, Normal(SIGMA), beta=beta)


print("beta   latents in use: trained   theory   divergence, nats: trained   theory")
for beta in BETAS:
    model = linear_vae(beta)
    rate = CosineDecay(1e-2, 2 * STEPS)
    train(model, source.stream(128, 0), 2 * STEPS, optimizer=Adam(rate))
    mean, log_variance = model.encode(some_images)
    kl = 0.5 * np.mean(mean**2 + np.exp(log_variance) - log_variance - 1, axis=0)
    kept = eigenvalues[eigenvalues > beta * SIGMA**2]
    theory = 0.5 * np.log(kept / (beta * SIGMA**2)).sum()
    print(
        f"{beta:4} {np.sum(np.var(mean, axis=0) > 0.01):24} {len(kept):8}"
        f" {kl.sum():27.2f} {theory:8.2f}"
    )

# %% [markdown]
# The divergences agree with the theory to a tenth of a nat. We count at least as many active
# latents as the theory predicts, and in some runs several more: near the threshold, the loss is
# almost flat with respect to such a latent, which carries almost no information. So $\beta$
# determines *how many* components are kept, but not which axes they have.
#
# ## 4. The total correlation
#
# Which part of the divergence makes latents independent? Let $q(z)$ be the mean of $q(z \mid x)$
# over all $N$ images in the data, and $q(z_j)$ the density of its latent $j$. Write
#
# $$\log \frac{q(z \mid x)}{p(z)} = \log \frac{q(z \mid x)}{q(z)} +
# \log \frac{q(z)}{\prod_j q(z_j)} + \sum_j \log \frac{q(z_j)}{p(z_j)}$$
#
# and average over images and samples. The left side becomes the divergence, and the right side
# becomes a sum of three nonnegative terms:
#
# - the **mutual information** between image and code, which good reconstructions need;
# - the **total correlation**, 0 if and only if the latents are independent in $q(z)$;
# - the divergence between each latent's distribution and the prior.
#
# A $\beta$-VAE penalizes all three, including the information. The $\beta$-TCVAE increases the
# weight of only the second term (Chen et al. 2018). $q(z)$ is a mixture of $N$ normal
# distributions, and in training, `decomposed_kl` estimates it from the batch. Here is the method as
# a model.


# %%
class PlainTCVAE(GenerativeModel):
    """A VAE with a separate weight for the total correlation."""

    def __init__(self, encoder, decoder, dataset_size, beta, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.dataset_size = dataset_size
        self.beta = beta
        self.edges["x"] = Images((32, 32, 1), low=0.0, high=1.0)

    def loss_weights(self):
        others = {"reconstruction": 1.0, "mutual_information": 1.0, "dimension_kl": 1.0}
        return others | {"total_correlation": self.beta}

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def losses():
            mean, log_variance = self.encoder(x, training=True)
            epsilon = self.normal("latents", tf.shape(mean))
            z = mean + tf.exp(0.5 * log_variance) * epsilon
            logits = self.decoder(z, training=True)
            terms = {"reconstruction": -Bernoulli().log_prob(logits, x)}
            terms |= decomposed_kl(z, mean, log_variance, self.dataset_size)
            return self.weighted(terms), terms

        loss, terms = self.minimize(losses)
        return self.report(terms, loss=loss)


def shape_networks():
    networks = mlp_networks(
        (32, 32, 1), 6, hidden=(128, 128), activation="relu", heads=("mean", "log_variance")
    )
    start_at_mean(networks[1], images / np.float32(255))
    return networks


plain = PlainTCVAE(*shape_networks(), len(images), beta=4.0)
plain_history = train(plain, source.stream(64, 0), STEPS)
for name in plain_history:
    print(f"{name:25} {plain_history[name][-1]:8.2f} nats")

# %% [markdown]
# Here, a batch of 64 images represents all 24,576 images, so the estimates of the terms are far
# off: the last term cannot really be negative. The sum of the terms is correct, but with weights
# other than 1, the errors of single terms also affect training.
#
# The library's class `BetaTCVAE` has the same terms. We train a VAE, a $\beta$-VAE, and a
# $\beta$-TCVAE, each with different initial weights, and observe the MIG, the terms of the
# divergence, and the bound. For the terms, 1,000 images are treated as the whole dataset, so that
# $q(z)$ is exact.

# %%
kinds = {
    "VAE": lambda: VAE(*shape_networks()),
    "beta-VAE, 4": lambda: VAE(*shape_networks(), beta=4.0),
    "beta-TCVAE, 4": lambda: BetaTCVAE(*shape_networks(), len(images), beta=4.0),
}
if QUICK:
    kinds = {"VAE": kinds["VAE"]}
few = some_images[:1000]
print("                 seed     MIG   ELBO, nats   information   correlation   each latent")
for name, build in kinds.items():
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        model = build()
        train(model, source.stream(64, seed), STEPS)
        codes, log_variance = model.encode(some_images)
        z = codes[:1000] + np.exp(0.5 * log_variance[:1000]) * random.normal(
            size=codes[:1000].shape
        )
        parts = decomposed_kl(
            z.astype("float32"), codes[:1000], log_variance[:1000], len(few), stratified=True
        )
        parts = [float(np.mean(part)) for part in parts.values()]
        elbo = model.log_prob(few).mean()
        print(
            f"{name:16} {seed:4} {mig(codes):7.3f} {elbo:12.1f} {parts[0]:13.2f}"
            f" {parts[1]:13.2f} {parts[2]:13.2f}"
        )

# %% [markdown]
# The first term of the divergence is at most $\log 1000 = 6.9$ nats here. Both weighted models
# reduce the total correlation to a fraction of the VAE's, at the expense of the bound. For a
# similar reduction, the $\beta$-TCVAE keeps more information than the $\beta$-VAE and has the
# better bound, as its derivation promises. But does a low total correlation mean that a code is
# disentangled? The order of the methods by MIG changes with the seeds, and independent normal
# latents can be any rotation of the factors. After 1,000 steps, no run comes near the published
# model. A comparison of such methods needs several seeds, and weights chosen on other seeds, as in
# the recipe `disentanglement_factors`.
#
# ## 5. Hierarchies, and why their upper layers stay unused
#
# A hierarchy samples $z_2 \sim N(0, I)$, then $z_1$ given $z_2$, then $x$ given $z_1$. The hope is
# that $z_2$ encodes the content of the image and $z_1$ its details. But consider the likelihood.
# Only the *marginal* density of $z_1$ matters for $p(x)$. Take one number per layer:
#
# $$z_2 \sim N(0, 1), \qquad z_1 = a z_2 + \sqrt{1 - a^2} \, \epsilon, \qquad p(z_1) = N(0, 1)
# \text{ for every } a.$$
#
# With $a = 0$, the upper layer has no effect, and $p(x)$ does not change. So the likelihood does
# not require $z_2$ to be used. And the bound discourages its use, because any error in $q(z_2 \mid
# z_1)$ lowers the bound. Early in training, the encoder knows nothing, for example
# $q(z_2 \mid z_1) = N(0, 1)$. The loss is then the mean over $z_1$ of its divergence from the
# posterior $N(a z_1, 1 - a^2)$:
#
# $$\frac{1}{2} \left( \frac{1 + a^2}{1 - a^2} - 1 + \log (1 - a^2) \right),$$
#
# which is smallest at $a = 0$. And if $a$ is 0, the posterior *is* $N(0, 1)$, so the encoder has
# nothing to learn. So neither the encoder nor the decoder benefits from moving first. (With
# networks, an upper layer can make $p(z_1)$ more flexible than a normal density, and so increase
# $p(x)$. But this gain first has to outweigh the cost.)
#
# Three remedies are common. A **warm-up** makes the divergence cheap at first: it raises its weight
# from 0 to 1. **Free bits** exempt the first nats of a layer. The **ladder VAE** (Sønderby et al.
# 2016) lets the encoder use the decoder's prediction of $z_1$ given $z_2$. We train hierarchies
# with three layers on digits: a plain hierarchy, whose encoder infers $z_1$ from $x$, $z_2$ from
# $z_1$, and $z_3$ from $z_2$, and a ladder VAE, with and without the other remedies.
#
# ![Two graphs with the latents z2 above z1 above the image x. In the hierarchical VAE, dashed arrows of the encoder lead from x to z1 and from z1 to z2. In the ladder VAE, they lead from x through d1 and d2 to the latents, and each latent also depends on the latent above it.](diagrams/06_hierarchy.svg)
#
# *Two hierarchies with two layers of latents. Solid: sampling. Dashed: the encoder.*

# %%
a = np.linspace(0, 0.95, 96)
drawn = new_figure(10, 3.9)
left, right = drawn.subplots(1, 2)
for error in (1.0, 0.5, 0.0):
    # q = N(b z1, 1 - b^2) with b = (1 - error) a, between the posterior and the prior.
    b = (1 - error) * a
    ratio = (1 - b**2) / (1 - a**2)
    cost = 0.5 * (ratio + (a - b) ** 2 / (1 - a**2) - 1 - np.log(ratio))
    name = {1.0: "knows nothing", 0.5: "knows half", 0.0: "is the posterior"}[error]
    left.plot(a, cost, label=f"encoder {name}")
left.set(
    xlabel="a, how much z1 depends on z2", ylabel="bound that is lost, nats", ylim=(-0.05, 2)
)
left.legend()

data = small_images("mnist", labels=True, first=DIGITS)
print(data.warning or "the digits of MNIST")
digit_source = data.train.take(DIGITS)
digits, digit_labels = digit_source.arrays()
test_digits, test_labels = data.test.take(TESTED).arrays()
bits = Source(digits)
sizes = dict(latent_dims=(24, 16, 8), hidden=(128, 64, 32))


class PlainHierarchy(LadderVAE):
    """A hierarchy whose encoder infers each layer from the sampled latents of the layer below."""

    estimated = ("",)  # z2 depends on z1, so the divergence of a layer has no closed form

    def posterior(self, x, noise):
        below, found = x, []
        for network, of_layer in zip(self.bottom_up, self.split(noise).values(), strict=True):
            mean, log_variance = network(below, training=self.training)
            found.append((mean, log_variance))
            below = mean + tf.exp(0.5 * log_variance) * of_layer
        return lambda layer, features, priors: [found[layer - 1]]


def hierarchy(kind, **options):
    """Returns a plain hierarchy or a ladder VAE with the same p(x, z)."""
    networks = ladder_networks((28, 28, 1), **sizes)
    if kind is PlainHierarchy:
        shapes = [(28, 28, 1), *((size,) for size in sizes["latent_dims"][:-1])]
        networks["bottom_up"] = [
            mlp_encoder(shape, size, (units, units), "leaky_relu", ("mean", "log_variance"))
            for shape, size, units in zip(shapes, *sizes.values(), strict=True)
        ]
    return kind(**networks, **options)


warm_up = {"beta": Linear(0.0, 1.0, steps=max(DIGIT_STEPS // 2, 1))}
free_bits = {"free_bits": Linear(2.0, 0.0, steps=DIGIT_STEPS)}
helps = {
    "plain": (PlainHierarchy, {}),
    "plain, warm-up": (PlainHierarchy, warm_up),
    "ladder": (LadderVAE, {}),
    "ladder, warm-up": (LadderVAE, warm_up),
    "ladder, warm-up, free bits": (LadderVAE, warm_up | free_bits),
}
if QUICK:
    helps = {"plain": (PlainHierarchy, {}), "ladder": (LadderVAE, {})}
print("nats per test digit            ELBO      z1      z2      z3")
for place, (name, (kind, options)) in enumerate(helps.items()):
    keras.utils.set_random_seed(0)
    model = hierarchy(kind, **options)
    start_at_mean(model.decoder, digits / np.float32(255))
    train(model, bits.stream(100, 0), DIGIT_STEPS, optimizer=Adam(2e-3))
    found = model.evaluate(test_digits, batch_size=100, return_dict=True, verbose=0)
    kl = [found[f"kl_z{layer}"] for layer in (1, 2, 3)]
    elbo = -found["reconstruction_loss"] - sum(kl)
    print(f"{name:26} {elbo:8.1f}" + "".join(f"{nats:8.2f}" for nats in kl))
    right.bar(np.arange(3) + 0.17 * place, kl, width=0.16, label=name)
right.set_xticks(np.arange(3) + 0.34, ["z1, next to x", "z2", "z3, the top"])
right.set(ylabel="divergence of the layer, nats")
right.legend()
show(
    drawn,
    "layers",
    "The cost of an upper layer (left), and the information in three layers (right).",
)

# %% [markdown]
# The left plot shows the problem. A large $a$ costs nothing only if the encoder already equals the
# posterior.
#
# In the *plain* hierarchy, the top layer carries almost no information, as the argument predicts.
# Warm-up improves the bound and fills the middle layer, but the top layer stays empty.
#
# Without warm-up, the *ladder VAE* fails in a different way: its bound is far lower than the plain
# hierarchy's. Its top layer has a divergence of more than a nat, but this is a cost, not a success,
# because all layers together carry far less information about the image. Warm-up repairs the bound,
# but the divergence of the top layer falls to almost 0. So warm-up is a remedy for training, not
# for an unused top layer, and with warm-up, the two hierarchies reach nearly the same bound. Only
# free bits keep more than a nat in the top layer, although the exemption has fallen from 2 nats to
# 0 by the end. But they barely change the bound, so this nat is of little use. Most of the
# information is in $z_1$, the layer next to the image. Doing better requires deeper networks and
# more training: BIVA (Maaløe et al. 2019), in the table at the end, has 10.9 nats in its top layer.
# It adds a second encoder that runs from the top down, and a deterministic path in the decoder
# that passes every layer's latents on to the image, so no layer has to carry information for the
# layers above it. Samples of a hierarchy become cleaner, and less varied, if the variance of *all*
# its normal distributions is reduced when sampling:
#
# ![Rows of digits, generated from the same noise with three variances.](../pictures/biva_variance.png)
#
# *Digits of the published BIVA, from the same noise with variances 1, 0.5, and 0.1 of its latents (`sample` with `temperature`, the square root of the variance).*
#
# ## 6. Few labels
#
# Labels are expensive, and images are cheap. Can an image model make 100 labels sufficient? The
# idea is old, and its smallest case has a closed form. The plane contains two normal clouds with
# standard deviation 1, whose centers are $2 d$ apart, and three *labeled* points in each cloud.
# From labels alone, we can use the line midway between the means of the labeled points, but this
# line is randomly misplaced. From many points *without* labels, a mixture finds both centers, and
# the labels only indicate which cluster belongs to which class. The error is then close to
# $\Phi(-d)$, the best possible, unless **classes are not clouds**.

# %%
D = 1.5
TRIES = 20 if QUICK else 300


def clouds(number, across):
    """Samples two clouds along the first axis, and classes: the cloud, or the side of 0."""
    cloud = random.integers(2, size=number)
    points = random.normal(size=(number, 2))
    points[:, 0] += D * (2 * cloud - 1)
    return points, (points[:, 1] > 0).astype("int64") if across else cloud


def nearer(labeled, points):
    """Classifies points by the nearer mean of labeled points, `[2, labels, 2]`."""
    distances = np.linalg.norm(points[:, None] - labeled.mean(axis=1), axis=2)
    return distances.argmin(axis=1)


def errors(across):
    """Returns errors with six labels alone and with a mixture of 4,000 points."""
    points, classes = clouds(4000, across)
    mixture = GaussianMixture(2, covariance_type="spherical", random_state=0).fit(points)
    in_cloud = mixture.predict(points)
    found = []
    for _ in range(TRIES):
        chosen = [random.choice(np.flatnonzero(classes == label), 3) for label in (0, 1)]
        alone = np.mean(nearer(points[chosen], points) != classes)
        agree = np.mean(in_cloud[chosen] == [[0], [1]])
        named = in_cloud if agree > 0.5 else 1 - in_cloud
        found.append((alone, np.mean(named != classes)))
    return points, classes, np.mean(found, axis=0)


drawn = new_figure(10, 4)
for axes, across in zip(drawn.subplots(1, 2), (False, True), strict=True):
    points, classes, (alone, mixed) = errors(across)
    name = "across the clouds" if across else "the clouds"
    print(f"classes are {name:18}: error {alone:.3f} by six labels, {mixed:.3f} by the mixture")
    for label in (0, 1):
        axes.scatter(*points[:1000][classes[:1000] == label].T, s=4)
    axes.set(title=f"classes are {name}", aspect="equal", xlabel="first number")
    axes.set(xlim=(-5, 5), ylim=(-4, 4), ylabel="second number")
print(f"best possible where classes are the clouds {norm.cdf(-D):.3f}")
show(
    drawn,
    "clouds",
    "The same points with different classes. Unlabeled points help on the left.",
)

# %% [markdown]
# So unlabeled points help through an *assumption*: that the classes are the clusters of $p(x)$. If
# this assumption is wrong, unlabeled points do harm or have no effect.
#
# For images, there are two models (Kingma et al. 2014). **M1** is a VAE on all images with any
# classifier on its codes. **M2** includes the class in the model: $y$ is one of $K$ classes, $z
# \sim N(0, I)$, and the decoder is $p(x \mid y, z)$. With a label, the bound is the same as in
# chapter 4, given the class:
#
# $$\log p(x, y) \ge E_q [ \log p(x \mid y, z) ] + \log p(y) - \mathrm{KL}(q(z \mid x, y), p(z))
# = -L(x, y).$$
#
# Without a label, $y$ is also a latent and gets an encoder $q(y \mid x)$: the classifier. Because
# $y$ has only $K$ values, the mean over $y$ is a sum and needs no samples:
#
# $$\log p(x) \ge \sum_y q(y \mid x) \left( -L(x, y) - \log q(y \mid x) \right).$$
#
# Which $q(y \mid x)$ is best? As in section 4 of chapter 3, it is the posterior of the bound:
# proportional to $e^{-L(x, y)}$. So a classifier learns from unlabeled images. But labeled images
# do not train $q(y \mid x)$ in these bounds, so a cross-entropy term is added.
#
# We train M1 on digits, give it 100 labels, and compare it with methods that need no network.

# %%
labels = few_labels(digit_labels, 100, seed=0)
known = labels >= 0
keras.utils.set_random_seed(0)
encoder, decoder = mlp_networks(
    latent_dim=16, hidden=(256, 256), activation="relu", heads=("mean", "log_variance")
)
start_at_mean(decoder, digits / np.float32(255))
m1 = VAE(encoder, decoder)
train(m1, bits.stream(100, 0), DIGIT_STEPS, optimizer=Adam(CosineDecay(2e-3, DIGIT_STEPS)))
codes, _ = m1.encode(digits[known])
test_codes, _ = m1.encode(test_digits)
accuracies = few_label_baselines(digits, labels, test_digits, test_labels, 50, graph=GRAPH)
accuracies["M1: SVM of codes"] = svm_accuracy(codes, labels[known], test_codes, test_labels)
names = {
    "neighbor": "nearest labeled digit",
    "svm": "SVM of pixels",
    "pca_svm": "SVM of 50 principal components",
    "graph": "labels spread over a graph",
    "M1: SVM of codes": "M1: SVM of 16 latents",
}
print("errors on test digits with 100 labels")
for name, text in names.items():
    print(f"{text:32} {1 - accuracies[name]:.3f}")

# %% [markdown]
# Here, M1 is less accurate than a support vector machine on pixels and label spreading over a
# neighbor graph, neither of which needs a network. Codes that represent all pixels do not
# necessarily cluster by class. With 25 times as many steps and 50 latents, M1 in the recipe
# `semi_supervised_vae_mnist` has an error of 15.5%, still higher than label spreading's 11.9%. M2
# on top of M1 reaches 6.8%. The gain comes from including the class *in* the model of the codes and
# from much longer training. Without any network, label spreading over histograms of gradients of
# deslanted digits reaches 5.8%.
#
# ## 7. Biased data
#
# Suppose that 2% of a class belong to a rare group. A classifier may then misclassify this group
# with almost no effect on its accuracy. If the groups were known, we would sample them equally
# often. The **debiasing VAE** (Amini et al. 2019) does not know the groups, but uses the position
# of an example's code: the example's weight is the product of $1 / (\hat{q}_j(z_j) + \alpha)$ over
# the latents, with an estimate $\hat{q}_j$ of the density of each latent, so rare codes are sampled
# more often. If there is one latent, and the codes of each group are spread evenly over an interval
# of its own with length 1, a group that is a fraction $r$ of the data makes up this fraction of the
# samples:
#
# $$\frac{r / (r + \alpha)}{r / (r + \alpha) + (1 - r) / (1 - r + \alpha)}.$$
#
# This fraction is $1/2$ at $\alpha = 0$ and $r$ for large $\alpha$. If the codes do *not* separate
# the groups, the method has no effect. We try the method on digits: odd or even, red or green,
# where 2% of the odd digits are green. The model has two latents, learned on odd digits only.

# %%
for alpha in (0.0, 0.01, 0.1, 1.0):
    rare, common = 0.02 / (0.02 + alpha), 0.98 / (0.98 + alpha)
    print(f"alpha {alpha:4}: {rare / (rare + common):.2f} of the draws are rare ones")

RARE = 3  # the group of green odd digits
painted, groups = rare_color(digit_source, rare=0.02, seed=0)
test_painted, test_groups = rare_color(data.test.take(TESTED), rare=0.5, seed=0)
painted_digits, odd = painted.arrays()
test_painted_digits, test_odd = test_painted.arrays()
fractions = np.bincount(groups, minlength=4) / len(groups)
ROUNDS = 1 if QUICK else 10


def debiasing_vae():
    keras.utils.set_random_seed(0)
    encoder = mlp_encoder((28, 28, 3), 2, (128,), "relu", heads=("mean", "log_variance"))
    decoder = mlp_decoder((28, 28, 3), 2, (128,), "relu")
    return DBVAE(with_head(encoder, 2), decoder, len(painted_digits), bin_width=1.0)


print("drawn                    worst group   over all   rare among odd draws")
drawn_digits = {}
for name in ("alike", "groups equally often", "by density of codes")[2 if QUICK else 0 :]:
    model = debiasing_vae()
    if name == "groups equally often":
        model.sampling.assign(1 / fractions[groups])
    for turn in range(ROUNDS):
        if name == "by density of codes":
            model.reweigh(painted_digits, odd)
        stream = weighted_stream(painted, model.sampling, 100, seed=turn)
        model.compile(Adam(1e-3), run_eagerly=QUICK) if turn == 0 else None
        model.fit(stream, steps_per_epoch=max(DIGIT_STEPS // 12, 1), verbose=0)
    report = group_report(
        model.classify(test_painted_digits).argmax(axis=1), test_odd, test_groups, fractions
    )
    weights = model.sampling.values.numpy()
    rare = weights[groups == RARE].sum() / weights[odd == 1].sum()
    print(f"{name:24} {report['worst_group']:11.3f} {report['accuracy']:10.3f} {rare:22.2f}")
    chance = np.where(odd == 1, weights, 0)
    chosen = random.choice(len(chance), 14, p=chance / chance.sum())
    drawn_digits[name] = painted_digits[chosen]
show(
    captioned(list(drawn_digits.values()), [f"drawn {name}" for name in drawn_digits]),
    "drawn",
    "Odd training digits under each sampling method. Green digits are brighter than red digits.",
)

# %%
codes, _ = model.encode(painted_digits[odd == 1])
shown = new_figure(8, 4.2)
axes = shown.subplots()
# Shades of red and green that color-blind readers can distinguish (Okabe, Ito), and two markers.
styles = {"red": ("#D55E00", "o"), "green": ("#009E73", "^")}
for (name, (color, marker)), group in zip(styles.items(), (2, RARE), strict=True):
    of_group = codes[groups[odd == 1] == group][:3000]
    label = f"{name} odd digits"
    axes.scatter(*of_group.T, s=9, color=color, marker=marker, label=label, linewidths=0)
axes.set(xlabel="latent 1", ylabel="latent 2")
axes.legend(markerscale=3)
show(
    shown,
    "rare_codes",
    "Codes of odd digits by the debiasing VAE, which does not know the colors.",
)

# %% [markdown]
# The model discovered the color on its own: the codes of green digits are in a region without other
# codes. Green digits are sampled more than ten times as often as before. The worst group gains as
# much as if the groups had been known, and the overall accuracy falls only slightly.
#
# But rare does not mean disadvantaged. The formula predicts a fraction of 0.40 for $\alpha = 0.01$,
# the default of `DBVAE`, but only a quarter of the samples were green: codes are not spread evenly,
# there is a second latent, and the weights treat the two as independent. Unusual red digits are
# also sampled more often. And the method works because color is one of the two largest differences
# between these digits. Where the code does not separate a group, the group is not sampled more
# often: on 1,900 faces, of which few are smiling men, our run with 16 latents sampled smiling men
# only slightly more often. The effect on accuracy could not be measured: only 26 smiling men were
# in the training set and 24 in the test set, and even sampling the known groups equally often did
# not help. Amini et al. report success, with far more faces.
#
# ## 8. Common claims, and what is true
#
# - **"A larger beta disentangles."** A larger beta increases the noise in the code, so that fewer
#   latents are worth their cost. The axes of the remaining latents are determined by other factors,
#   and partly by chance.
# - **"Independent latents are the true factors."** After any rotation, independent normal latents
#   are still independent (section 2). If at most one latent is normal, independence excludes
#   rotations, as in independent component analysis, but it never excludes all nonlinear maps.
# - **"Upper layers learn abstract concepts."** First use the divergence of each layer to check
#   whether these layers carry any information.
# - **"More unlabeled images always help."** Unlabeled images help if the classes are the clusters
#   of $p(x)$. Otherwise, they may do harm (section 6).
# - **"Rare codes are rare groups."** This is true only if membership in the group is among the
#   largest differences that the code captures.
#
# ## Questions
#
# **1.** Apply a separate increasing function to each latent of a model, and let the decoder undo
# it. What happens to MIG, to $p(x)$, and to the prior?
#
# <details markdown="1"><summary>Answer</summary>
#
# Knowing the transformed latent is equivalent to knowing $z_j$, so all mutual informations and the
# MIG stay the same, up to estimation errors. $p(x)$ also stays the same. The prior is no longer
# normal, but its latents are still independent. So such scores depend on the *axes*, and not on
# their scales. A rotation changes the axes.
#
# </details>
#
# **2.** In section 3, let two components have the same variance in the data. What is the cost of
# rotating the two corresponding latents, and what does this imply for the positions $x$ and $y$ of
# the shapes?
#
# <details markdown="1"><summary>Answer</summary>
#
# The posterior has the same variance $\beta \sigma^2 / \lambda$ for both. So $R \, \mathrm{diag}(1
# / v) R^T$ is diagonal for every angle, and nothing is lost. The axes are undetermined. The
# positions along $x$ and $y$ vary equally in our data, so their axes are also nearly undetermined,
# as the flat curve in the picture of section 2 shows.
#
# </details>
#
# **3.** Change the code: in section 6, set `D = 0.5`, so that the clouds overlap. What happens to
# the picture and to the errors?
#
# <details markdown="1"><summary>Answer</summary>
#
# The clouds merge into one hump and are no longer visible as two. The best possible error is 0.309.
# If the classes are the clouds, the error of the mixture is still only about 0.33, compared with
# 0.38 from six labels alone, because the mixture knows that there are two clouds with equal
# standard deviations. If the classes cut across the clouds, the error of the mixture is 0.49,
# compared with 0.17.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | six ways to disentangle | `VAE`, `CapacityVAE`, `FactorVAE`, `BetaTCVAE`, `DIPVAE` | [disentanglement_factors](../../recipes/disentanglement_factors.py) | MIG 0.385 with annealed capacity; ink and its center 0.5298 | [Burgess et al. 2018](https://arxiv.org/abs/1804.03599), [Chen et al. 2018](https://arxiv.org/abs/1802.04942), [Locatello et al. 2019](https://arxiv.org/abs/1811.12359) |
# | layers of latents | `LadderVAE`, `BIVA` | [biva_mnist](../../recipes/biva_mnist.py) | 87.78 nats, paper 78.41; ladder VAE 89.42; boosted trees 91.83 | [Sønderby et al. 2016](https://arxiv.org/abs/1602.02282), [Maaløe et al. 2019](https://arxiv.org/abs/1902.02102) |
# | few labels | `M2` | [semi_supervised_vae_mnist](../../recipes/semi_supervised_vae_mnist.py) | test error 6.83% with M1+M2 and 100 labels, paper 3.33; label spreading over HOG 5.806 | [Kingma et al. 2014](https://arxiv.org/abs/1406.5298) |
# | biased data | `DBVAE` | [debiasing_vae_mnist](../../recipes/debiasing_vae_mnist.py) | worst-group accuracy 0.859; SVM on balanced colors 0.9143, known groups 0.8719 | [Amini et al. 2019](https://doi.org/10.1145/3306618.3314243) |
# | separate codes for style and identity | `StyleIdentityVAE` | [style_and_identity_mnist](../../recipes/style_and_identity_mnist.py) | class accuracy from the identity 0.96790; linear discriminants of strokes 0.9777 | [Mathieu et al. 2016](https://arxiv.org/abs/1611.03383) |
