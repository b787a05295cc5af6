# %% [markdown]
# # 3. Latent variables: naive Monte Carlo, importance sampling, the bound
#
# Many models explain observed data with unobserved numbers, the **latents**. It is easy to sample
# from such a model. But the probability that it assigns to an image is an integral, which is hard
# to compute. This chapter is about this integral, and leads to the bound that variational
# autoencoders maximize.
#
# After this chapter, you can explain why averages over the prior fail, derive importance sampling
# and the evidence lower bound, and explain why all such estimates are too low. We use a decoder for
# which everything has a closed form, so each estimate can be compared with the correct answer.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on less data and with fewer
# samples.

# %%
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.stats import Covariance, multivariate_normal, ortho_group

from keras_gen import IWAE, PriorSampledModel
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Images
from keras_gen.data import small_images
from keras_gen.losses import Normal, log_ratio_normal
from keras_gen.metrics import importance_weighted_nll
from keras_gen.networks import linear_networks
from keras_gen.workshop.visualize import captioned, line_plot, new_figure, show

QUICK = bool(os.environ.get("QUICK"))
DIGITS = 1_000 if QUICK else 30_000  # maximum number of training digits
POINTS = 300 if QUICK else 3_000  # number of samples in the plane
DRAWS = 2_000 if QUICK else 200_000  # samples of latents for each estimate
SCORED = 20 if QUICK else 200  # test digits whose probability is estimated
EPOCHS = 1 if QUICK else 30  # for each run

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. Sample the latents, then the data
#
# A **latent-variable model** generates an example $x$ in two steps.
#
# 1. Sample the latents $z$ from the **prior** $p(z)$.
# 2. Sample $x$ from $p(x \mid z)$, the **likelihood**.
#
# Sampling in this order is called **ancestral sampling**. We then forget $z$. Here are three
# models:
#
# - A **mixture**: $z$ is one of a few numbers, each of which has a center $\mu_z$. The example is
#   near this center: $x = \mu_z + \sigma \epsilon$ with noise $\epsilon \sim N(0, I)$.
# - A **linear Gaussian decoder**: $z \sim N(0, I)$ and $x = W z + b + \sigma \epsilon$, with a
#   matrix $W$. If each value of $x$ has its own $\sigma$, this is **factor analysis**. With one
#   $\sigma$ for all values, it is **probabilistic PCA** (Tipping and Bishop 1999).
# - A **nonlinear decoder**: $z \sim N(0, I)$ and $x = d(z) + \sigma \epsilon$, with any function
#   $d$. In chapter 4, $d$ is a network.
#
# ![Plate notation of a latent-variable model: in a plate that is repeated N times, an arrow leads from the latent z to the observed x, which also depends on the parameters outside of the plate.](diagrams/03_plate.svg)
#
# *The model in plate notation: the plate is repeated for each example. Gray: observed. White: latent.*

# %%
CENTERS = np.array([[-2.0, -1.0], [0.0, 1.5], [2.0, -0.5]])
LINE = np.array([1.5, 0.8])
NOISE = 0.25


def curve(z):
    return np.stack([1.2 * z, 1.3 * np.sin(2 * z)], axis=1)


component = random.integers(3, size=POINTS)
z = random.normal(size=POINTS)
points = {
    "mixture": (component, CENTERS[component]),
    "linear Gaussian": (z, z[:, None] * LINE),
    "nonlinear": (z, curve(z)),
}
drawn = new_figure(10, 3.6)
for axes, (name, (latent, means)) in zip(drawn.subplots(1, 3), points.items(), strict=True):
    x = means + NOISE * random.normal(size=(POINTS, 2))
    axes.scatter(*x.T, c=latent, s=3, cmap="viridis")
    axes.set(title=name, aspect="equal", xlim=(-4, 4), ylim=(-3, 3))
    if name == "linear Gaussian":
        print("covariance of the points", np.cov(x.T).round(2).tolist())
theory = np.outer(LINE, LINE) + NOISE**2 * np.eye(2)
print("W W^T + sigma^2 I       ", theory.round(2).tolist())
show(
    drawn, "ancestral", "Points of three models. The color is the latent, which we then forget."
)

# %% [markdown]
# How likely is a point $x$? Any latent may have generated this point, so we sum over all latents:
#
# $$p(x) = \sum_z p(z) p(x \mid z) \quad \mathrm{or} \quad p(x) = \int p(z) p(x \mid z) dz.$$
#
# For the mixture, this is a sum of three terms. For the linear decoder, there is a closed form: $x$
# is a sum of independent normal numbers, so it is normal again. Its mean is $b$, and covariances
# add up:
#
# $$p(x) = N(b, W W^T + \sigma^2 I).$$
#
# For a network, there is no closed form. So we test the following methods on the linear decoder,
# for which we can check them; the methods apply to any decoder.
#
# ## 2. A linear decoder for digits
#
# The data are MNIST digits, with pixels from -1 to 1. We set $\sigma = 0.4$. The $W$ and $b$ that
# make the training digits most likely are known: $b$ is the mean digit. Let $e_i$ be the principal
# components of [chapter 1](01_autoencoders.md), with eigenvalues $\lambda_i$. Column $i$ of $W$ is
# then $\sqrt{\lambda_i - \sigma^2} e_i$. With this $W$, the model has the same variance as the data
# along each component, $(\lambda_i - \sigma^2) + \sigma^2 = \lambda_i$. If $\lambda_i$ is below
# $\sigma^2$, the variance of the noise alone is already too large, and the column is 0.
#
# Pixels are real numbers here. So $p(x)$ is a *density*: it can be above 1, and its logarithm can
# be positive. Only differences between logarithms are meaningful, in nats.

# %%
data = small_images("mnist", labels=True, first=DIGITS)
print(data.warning or "the digits of MNIST")
train_images, _ = data.train.take(DIGITS).arrays()
test_images, test_labels = data.test.take(SCORED).arrays()


def flat(images):
    """Returns pixels from -1 to 1, `[n, 784]`."""
    return images.reshape(len(images), -1) / 127.5 - 1


def as_uint8(pixels):
    return (127.5 * (np.clip(pixels, -1, 1) + 1)).astype("uint8").reshape(-1, 28, 28, 1)


SIGMA = 0.4
LATENTS = 10
train, test = flat(train_images), flat(test_images)
b = train.mean(axis=0)
ascending, vectors = np.linalg.eigh(np.cov(train.T, bias=True))
eigenvalues, components = ascending[::-1], vectors[:, ::-1]


def best_w(latents):
    """Returns the maximum-likelihood matrix W, `[784, latents]`."""
    return components[:, :latents] * np.sqrt(np.maximum(eigenvalues[:latents] - SIGMA**2, 0))


def log_marginal(x, w):
    """Returns log p(x) in closed form."""
    root = np.linalg.cholesky(w @ w.T + SIGMA**2 * np.eye(len(w)))
    return multivariate_normal(b, Covariance.from_cholesky(root)).logpdf(x)


for latents in (2, LATENTS, 50):
    mean_log_p = log_marginal(test, best_w(latents)).mean()
    print(f"{latents:2} latents: mean log p(x) of test digits {mean_log_p:8.1f} nats")

# %% [markdown]
# Which latents may have generated a given $x$? The **posterior** tells us: $p(z \mid x) = p(z) p(x
# \mid z) / p(x)$. As a function of $z$, its logarithm is
#
# $$\log p(z \mid x) = -\frac{1}{2} |z|^2 - \frac{1}{2 \sigma^2} |x - b - W z|^2 + \mathrm{const}.$$
#
# This is quadratic in $z$, so the posterior is normal. The matrix of its second derivatives,
# negated, is the inverse of the covariance $S$. The mean $m$ is where the gradient is 0:
#
# $$S^{-1} = I + W^T W / \sigma^2, \qquad m = S W^T (x - b) / \sigma^2.$$
#
# With principal components as columns, $W^T W$ is diagonal, and so is $S$: latent $i$ has variance
# $\sigma^2 / \lambda_i$, far less than the 1 of the prior. We plot this for two latents.


# %%
def posterior(x, w):
    """Returns the mean `[latents]` and covariance `[latents, latents]` of p(z|x)."""
    covariance = np.linalg.inv(np.eye(w.shape[1]) + w.T @ w / SIGMA**2)
    return covariance @ w.T @ (x - b) / SIGMA**2, covariance


def diagonal_posterior(x, w):
    """Returns mean and standard deviations of p(z|x), if its covariance is diagonal."""
    mean, covariance = posterior(x, w)
    return mean, np.sqrt(np.diag(covariance))


plane_w = best_w(2)
angles = np.linspace(0, 2 * np.pi, 100)
drawn = new_figure(10, 4.2)
left, right = drawn.subplots(1, 2)
draws = random.normal(size=(2, POINTS))
for axes in (left, right):
    axes.scatter(*draws, s=3, color="silver")
    axes.set(xlabel="latent 1", ylabel="latent 2", aspect="equal")
for row in range(10):
    mean, deviation = diagonal_posterior(test[row], plane_w)
    ring = mean[:, None] + 2 * deviation[:, None] * [np.cos(angles), np.sin(angles)]
    for axes in (left, right):
        axes.plot(*ring, color="tab:red", linewidth=1)
    left.text(mean[0] + 0.25, mean[1], f"a {test_labels[row]}", color="tab:red", va="center")
    if row == 0:
        right.set(xlim=mean[0] + np.array([-0.7, 0.7]), ylim=mean[1] + np.array([-0.6, 0.6]))
show(
    drawn,
    "posteriors",
    "Draws from the prior (gray), and posteriors of ten test digits at two deviations (red)."
    " Right: one digit, from near.",
)

# %% [markdown]
# ## 3. Naive Monte Carlo
#
# The integral is a mean: $p(x) = E_{p(z)} [ p(x \mid z) ]$. So sample $z_1, \ldots, z_k$ from the
# prior, and average:
#
# $$\hat{p}(x) = \frac{1}{k} \sum_{i=1}^k p(x \mid z_i).$$
#
# Its mean is $p(x)$ for any $k$: the estimate is **unbiased**. But it is imprecise, because most
# samples do not explain $x$ at all. Here are digits, each next to the decoded $z_i$ that explains
# it best, for more and more samples. We also print how far $\log p(x \mid z)$ at this $z_i$ is
# below $\log p(x \mid z)$ at the posterior's mean.


# %%
def log_likelihood(z, x, w):
    """Returns log p(x|z) for latents `[k, latents]`, with |x - b - Wz|^2 expanded."""
    rest = x - b
    squares = rest @ rest - 2 * z @ (w.T @ rest) + np.sum((z @ (w.T @ w)) * z, axis=1)
    return -0.5 * (squares / SIGMA**2 + len(x) * np.log(2 * np.pi * SIGMA**2))


w = best_w(LATENTS)
shown = [0, 2, 4]  # of the test digits
counts = [1, 10, 100, 1000] if QUICK else [1, 10, 100, 1000, 10_000, 100_000]
latents = random.normal(size=(counts[-1], LATENTS))
rows = []
for index in shown:
    found = log_likelihood(latents, test[index], w)
    best = [latents[np.argmax(found[:count])] for count in counts]
    best.append(posterior(test[index], w)[0])
    values = log_likelihood(np.stack(best), test[index], w)
    below = ", ".join(f"{values[-1] - value:.0f}" for value in values[:-1])
    print(f"a {test_labels[index]}: best of 1, 10, 100, ... draws is below by {below} nats")
    rows.append(np.concatenate([test_images[[index]], as_uint8(np.stack(best) @ w.T + b)]))
names = ["digit", *(f"{count:,}" for count in counts), "posterior"]
show(
    captioned(rows, column_names=names),
    "best_of",
    "Digits, the best explanation among 1 to 100,000 prior samples, and the posterior mean.",
)

# %% [markdown]
# A difference of 7 nats is a factor of 1000 in the sum. So the best sample alone determines the
# estimate, and it occurs by chance.
#
# How many samples are needed? Let $R$ be the variance of one term, in units of $p(x)^2$. The mean
# of $k$ terms has the relative error $\sqrt{R / k}$, so we need many more than $R$ samples. Compute
# the mean square of a term, and use Bayes' rule as $p(x \mid z) / p(x) = p(z \mid x) / p(z)$:
#
# $$1 + R = \int p(z) \frac{p(x \mid z)^2}{p(x)^2} dz
# = \int p(z \mid x) \frac{p(x \mid z)}{p(x)} dz
# = E_{p(z \mid x)} \left[ \frac{p(z \mid x)}{p(z)} \right].$$
#
# The number of samples is determined by how much *denser* the posterior is than the prior, in the
# region of the posterior. If the posterior of each latent is a tenth as wide as its prior, each
# latent costs another factor of about ten. The cost grows exponentially with the number of latents.
#
# ## 4. Importance sampling
#
# We would rather sample latents that fit $x$. Let $q(z \mid x)$ be any density from which we can
# sample, and which is nowhere 0 where $p(x, z) = p(z) p(x \mid z)$ is not. It is called the
# **proposal**. Multiply and divide by it:
#
# $$p(x) = \int q(z \mid x) \frac{p(x, z)}{q(z \mid x)} dz = E_q [ w ], \qquad
# w = \frac{p(z) p(x \mid z)}{q(z \mid x)}.$$
#
# So the mean of $k$ **weights** is also an unbiased estimate. With $q = p(z)$, it is the naive
# estimate. Which $q$ is best? Write $p(x, z) = p(x) p(z \mid x)$. Then
#
# $$\frac{w}{p(x)} = \frac{p(z \mid x)}{q(z \mid x)}, \qquad
# 1 + R = E_{p(z \mid x)} \left[ \frac{p(z \mid x)}{q(z \mid x)} \right].$$
#
# With the posterior as the proposal, *every* weight is exactly $p(x)$, so one sample is enough. A
# good proposal only has to be close to the posterior. For normal distributions, the mean also has a
# closed form. Let one latent have the posterior $N(m, s^2)$, and let $q$ be $N(m + \delta s, (c
# s)^2)$. If $2 c^2 > 1$, $p^2 / q$ is a normal curve up to a factor, and its integral is
#
# $$\int \frac{p(z)^2}{q(z)} dz = \frac{c^2}{\sqrt{2 c^2 - 1}} \exp \frac{\delta^2}{2 c^2 - 1}.$$
#
# If $2 c^2 \le 1$, the integral is infinite: such a $q$ is so narrow that rare samples have huge
# weights. The factors of independent latents are multiplied. The prior is a special case, with $c =
# 1 / s$ and $\delta = -m / s$. As an imperfect proposal, we use $c = 1.5$.

# %%
C = 1.5


def relative_variance(x, w, q_mean, q_deviation):
    """Returns R of the weights in closed form."""
    mean, deviation = diagonal_posterior(x, w)
    delta = (q_mean - mean) / deviation
    c = q_deviation / deviation
    if np.any(2 * c**2 <= 1):
        return np.inf
    return np.prod(c**2 / np.sqrt(2 * c**2 - 1) * np.exp(delta**2 / (2 * c**2 - 1))) - 1


def log_normal(z, mean, deviation):
    """Returns a normal log-density, summed over latents."""
    squares = ((z - mean) / deviation) ** 2
    return np.sum(-0.5 * squares - np.log(deviation) - 0.5 * np.log(2 * np.pi), axis=-1)


def log_weights(x, w, q_mean, q_deviation, draws=DRAWS):
    """Returns log w of samples from q, `[draws]`."""
    z = q_mean + q_deviation * random.normal(size=(draws, len(q_mean)))
    log_joint = log_normal(z, 0, np.ones_like(q_mean)) + log_likelihood(z, x, w)
    return log_joint - log_normal(z, q_mean, q_deviation)


def proposals(x, w):
    """Returns means and standard deviations of the prior and of the widened posterior."""
    mean, deviation = diagonal_posterior(x, w)
    prior = (np.zeros_like(mean), np.ones_like(mean))
    return {"prior": prior, "wider posterior": (mean, C * deviation)}


x = test[shown[0]]
print("variance of a weight, relative to p(x)^2")
print("latents   proposal          closed form   measured")
numbers = list(range(1, 21))
variances = {"prior": [], "wider posterior": []}
for latents in numbers:
    some_w = best_w(latents)
    for name, q in proposals(x, some_w).items():
        variances[name].append(relative_variance(x, some_w, *q))
        if latents in (1, 2, 10):
            ratios = np.exp(log_weights(x, some_w, *q) - log_marginal(x, some_w))
            print(f"{latents:7}   {name:15} {variances[name][-1]:13.3g} {ratios.var():10.3g}")
drawn = new_figure(8, 4.2)
axes = drawn.subplots()
for name, values in variances.items():
    axes.plot(numbers, values, marker="o", label=f"proposal: {name}")
axes.set(yscale="log", xlabel="number of latents", ylabel="variance of a weight / p(x)²")
axes.set_xticks([1, 5, 10, 15, 20])
axes.legend()
show(
    drawn,
    "variance",
    "Under the prior, the variance R of a weight grows exponentially with the number of latents.",
)

# %% [markdown]
# For ten latents, the measured variance under the prior is far too small: the samples that matter
# have not occurred yet. So a naive estimate does not even reveal that it is bad. The **effective
# sample size** $(\sum w)^2 / \sum w^2$ is more informative. It is roughly the number of samples
# that determine the sum.

# %%
drawn = new_figure(10, 4)
panels = drawn.subplots(1, 2)
number = np.arange(1, DRAWS + 1)
some = np.unique(np.geomspace(10, DRAWS, 60).astype(int)) - 1
colors = {"prior": "tab:blue", "wider posterior": "tab:orange"}
for axes, latents in zip(panels, (2, LATENTS), strict=True):
    some_w = best_w(latents)
    truth = log_marginal(x, some_w)
    for name, q in proposals(x, some_w).items():
        for run in range(3):
            log_w = log_weights(x, some_w, *q)
            running = np.logaddexp.accumulate(log_w) - np.log(number)
            label = f"proposal: {name}" if run == 0 else None
            axes.plot(number[some], running[some], color=colors[name], linewidth=1, label=label)
        size = np.exp(2 * np.logaddexp.reduce(log_w) - np.logaddexp.reduce(2 * log_w))
        print(
            f"{latents:2} latents, {name:15}: estimate of log p(x) {running[-1]:9.2f}, closed form"
            f" {truth:9.2f}, effective draws {size:9.1f}"
        )
    axes.axhline(truth, color="black", linestyle="--", label="closed form")
    axes.set(title=f"{latents} latents", xscale="log", xlabel="draws", ylabel="log p(x), nats")
panels[0].legend()
show(
    drawn,
    "estimates",
    "Three runs of each estimate of log p(x) of one digit, and the closed form.",
)

# %% [markdown]
# A naive run jumps up when a sample is better than all samples before it, and falls until the next
# jump. The weighted runs follow the dashed line from the first samples on.
#
# ## 5. The bound
#
# The naive runs with ten latents are *below* the true value, instead of above and below by chance.
# There is a reason. The mean of the weights is unbiased, but we take its logarithm. By **Jensen's
# inequality**, the mean of a concave function is at most the function of the mean. So for any $k$
#
# $$E \log \frac{1}{k} \sum_{i=1}^k w_i \le \log E \left[ \frac{1}{k} \sum_{i=1}^k w_i \right]
# = \log p(x).$$
#
# The logarithm of an unbiased estimate of $p(x)$ is too low on average. For $k = 1$, its mean is
# the **evidence lower bound**, ELBO. How far is it below $\log p(x)$? Insert $w = p(x) p(z \mid x)
# / q(z \mid x)$:
#
# $$\mathrm{ELBO}(x) = E_q [ \log w ]
# = \log p(x) - E_q \left[ \log \frac{q(z \mid x)}{p(z \mid x)} \right]
# = \log p(x) - \mathrm{KL}(q, \mathrm{posterior}).$$
#
# The difference is the Kullback-Leibler divergence of the proposal from the posterior. The bound is
# **tight** if and only if $q$ is the posterior.
#
# *Computing* the ELBO requires only $w$, not the posterior. And with the linear decoder and a
# normal $q$, the three terms in this equation each have a closed form. $\log p(x)$ is the normal
# density of section 1. The ELBO is $E_q [ \log p(x \mid z) ] - \mathrm{KL}(q, p(z))$, because $\log
# w$ is $\log p(x \mid z)$ minus $\log (q / p(z))$. If $q$ has mean $\mu$ and independent latents
# with variances $v_i$, then
#
# $$E_q | x - b - W z |^2 = | x - b - W \mu |^2 + \sum_i v_i | W_i |^2,$$
#
# where $W_i$ is column $i$. The divergence between two normal distributions in $n$ dimensions, from
# $N(\mu, A)$ to $N(m, B)$, is
#
# $$\mathrm{KL} = \frac{1}{2} \left( \mathrm{tr}(B^{-1} A) + (\mu - m)^T B^{-1} (\mu - m) - n +
# \log \frac{\det B}{\det A} \right).$$
#
# The ELBO and the divergence should add up to $\log p(x)$. The third case below rotates the latents
# by $Q$, so the decoder is $W Q$.


# %%
def kl_normals(mean, covariance, other_mean, other_covariance):
    """Returns KL(N(mean, covariance), N(other_mean, other_covariance))."""
    inverse = np.linalg.inv(other_covariance)
    apart = mean - other_mean
    squares = np.trace(inverse @ covariance) + apart @ inverse @ apart - len(mean)
    log_ratio = np.linalg.slogdet(other_covariance)[1] - np.linalg.slogdet(covariance)[1]
    return 0.5 * (squares + log_ratio)


def elbo(x, w, mean, deviation):
    """Returns the bound in closed form, for q with independent latents."""
    squares = np.sum((x - b - w @ mean) ** 2) + np.sum(w**2 @ deviation**2)
    expected = -0.5 * (squares / SIGMA**2 + len(x) * np.log(2 * np.pi * SIGMA**2))
    prior = np.zeros(len(mean)), np.eye(len(mean))
    return expected - kl_normals(mean, np.diag(deviation**2), *prior)


turned = w @ ortho_group.rvs(LATENTS, random_state=0)
turned_mean, turned_covariance = posterior(x, turned)
independent = np.diag(np.linalg.inv(turned_covariance)) ** -0.5
mean, deviation = diagonal_posterior(x, w)
cases = {
    "prior": (w, np.zeros(LATENTS), np.ones(LATENTS)),
    "wider posterior": (w, mean, C * deviation),
    "rotated, best q": (turned, turned_mean, independent),
    "posterior": (w, mean, deviation),
}
print("proposal                    log p(x)         ELBO           KL   ELBO + KL - log p(x)")
for name, (some_w, q_mean, q_deviation) in cases.items():
    log_p = log_marginal(x, some_w)
    bound = elbo(x, some_w, q_mean, q_deviation)
    kl = kl_normals(q_mean, np.diag(q_deviation**2), *posterior(x, some_w))
    print(f"{name:22} {log_p:13.6f} {bound:12.4f} {kl:12.6f} {bound + kl - log_p:22.0e}")
    assert abs(bound + kl - log_p) < 1e-5

# %% [markdown]
# The rotated decoder has the *same* $\log p(x)$, because $W Q (W Q)^T = W W^T$. But its posterior
# is an ellipsoid that is not axis-aligned. A $q$ with independent latents cannot match it, and its
# bound is lower. Setting the derivative of KL with respect to the variances to 0 shows that the
# best such $q$ has the variances $1 / (S^{-1})_{ii}$. So the bound prefers some decoders over
# others that are equally likely. Section 7 returns to this preference.
#
# ## 6. More samples, a tighter bound
#
# With $k$ weights, the bound is $L_k = E \log \frac{1}{k} \sum w_i$, the **importance-weighted
# bound** (Burda et al. 2016). This bound never falls as $k$ grows. To see this, take $k + 1$
# weights. Omit each weight in turn, and average the rest. This gives $k + 1$ means of $k$ weights,
# and the mean of these means is the mean of all weights. Jensen's inequality for this last mean
# gives $L_k \le L_{k+1}$. By the law of large numbers, the bound rises to $\log p(x)$.
#
# ![The proposal of an image is sampled k times. Each sample has a weight, and the bound is the logarithm of the mean weight.](diagrams/03_bound.svg)
#
# *The importance-weighted bound: the plate is repeated for each of the k samples. Each weight is p(x, z) / q(z | x).*
#
# How fast? Let $R$ be finite. Write the mean of the weights as $p(x) (1 + e)$. The error $e$ has
# mean 0 and variance $R / k$. Because $\log (1 + e)$ is about $e - e^2 / 2$,
#
# $$L_k \approx \log p(x) - \frac{R}{2 k}.$$

# %%
q = proposals(x, w)["wider posterior"]
truth = log_marginal(x, w)
exact_elbo = elbo(x, w, *q)
r = relative_variance(x, w, *q)
log_w = log_weights(x, w, *q)
counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


def bound_of(log_w, k):
    """Returns the mean of log (mean of k weights) over groups of k samples."""
    groups = log_w[: len(log_w) // k * k].reshape(-1, k)
    return np.mean(np.logaddexp.reduce(groups, axis=1) - np.log(k))


bounds = [bound_of(log_w, k) for k in counts]
print(f"closed form: log p(x) {truth:.3f}, ELBO {exact_elbo:.3f}, R {r:.2f}")
for k, bound in zip(counts, bounds, strict=True):
    print(
        f"k {k:4}: bound {bound:.3f}, below log p(x) {truth - bound:6.3f}, R / 2k {r / 2 / k:.3f}"
    )
drawn = new_figure(8, 4.2)
axes = drawn.subplots()
axes.plot(counts, bounds, marker="o", label="bound of k draws")
axes.plot(counts[3:], [truth - r / 2 / k for k in counts[3:]], ":", label="log p(x) - R / 2k")
axes.axhline(truth, color="black", linestyle="--", label="log p(x), closed form")
axes.axhline(exact_elbo, color="gray", linestyle="--", label="ELBO, closed form")
axes.set(xscale="log", xlabel="draws k", ylabel="nats")
axes.legend()
show(drawn, "bounds", "The bound of k samples starts at the ELBO and rises to log p(x).")

# %% [markdown]
# Differences in the last digits are sampling error. Which proposal is good depends on $k$, as we
# show by making $q$ narrower and wider than the posterior.

# %%
widths = [0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5]
gaps = {f"k = {k}": (widths, []) for k in (1, 10, 100)}
for c in widths:
    log_w = log_weights(x, w, mean, c * deviation)
    for k in (10, 100):
        gaps[f"k = {k}"][1].append(truth - bound_of(log_w, k))
    gaps["k = 1"][1].append(truth - elbo(x, w, mean, c * deviation))
for name, (_, values) in gaps.items():
    print(
        f"{name:8} gap with half the deviations {values[1]:.2f}, with twice {values[8]:.2f} nats"
    )
show(
    line_plot(
        gaps, "deviations of q / those of the posterior", "log p(x) minus the bound, nats"
    ),
    "gaps",
    "All bounds are tight at the posterior. One sample tolerates a narrow q, many samples a wide one.",
)

# %% [markdown]
# ## 7. Training on the bound
#
# So far, $W$ came from the eigenvectors. A network has no such solution. But training on the bound
# requires only $\log w$ and its gradient with respect to the parameters of the networks. Here is a
# model that learns the decoder and the proposal together, with $k$ samples. The **encoder** returns
# the mean and the logarithms of the variances of $q(z \mid x)$. A sample is $z = \mu + \sigma
# \epsilon$, so that gradients reach the encoder through $z$; chapter 4 examines this closely.
# `GenerativeModel` provides an optimizer, the image check (`prepare_batch`), noise (`normal`), and
# the update (`minimize`). `log_ratio_normal` is $\log q(z \mid x) - \log p(z)$.


# %%
class PlainBound(GenerativeModel):
    """Maximizes the bound of k samples over the decoder and the proposal."""

    def __init__(self, encoder, decoder, samples, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.samples = samples
        self.edges["x"] = Images((28, 28, 1), low=-1.0, high=1.0)

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def negative_bound():
            mean, log_variance = self.encoder(x, training=True)
            log_w = []
            for i in range(self.samples):
                epsilon = self.normal(f"draw {i}", tf.shape(mean))
                z = mean + tf.exp(0.5 * log_variance) * epsilon
                likelihood = Normal(SIGMA).log_prob(self.decoder(z, training=True), x)
                log_w.append(likelihood - log_ratio_normal(z, mean, log_variance, 0.0, 0.0))
            return tf.math.log(float(self.samples)) - tf.reduce_logsumexp(log_w, axis=0)

        loss = self.minimize(negative_bound)
        return self.report(loss=loss)


# %% [markdown]
# We give this model a linear decoder, with the mean digit as $b$. The encoder is also linear: $m$
# is linear in $x$, as section 2 shows. Variances do not depend on $x$, so we initialize their
# weights at 0. Then training should find what we computed: the likelihood of PCA, and a tight
# bound.


# %%
def networks():
    mean_encoder, decoder = linear_networks(b.reshape(28, 28, 1), LATENTS)
    codes = mean_encoder.output
    log_variance = keras.layers.Dense(LATENTS, kernel_initializer="zeros")(codes)
    return keras.Model(mean_encoder.input, [codes, log_variance]), decoder


steps = EPOCHS * -(-len(train_images) // 200)
print("draws   bound, first epoch   last epoch   log p(x), learned W   best W")
trained = {}
for k in (1, 5):
    encoder, decoder = networks()
    plain = PlainBound(encoder, decoder, samples=k)
    plain.compile(Adam(CosineDecay(3e-2, steps)))
    history = plain.fit(train_images, batch_size=200, epochs=EPOCHS, verbose=0).history
    trained[k] = decoder.get_layer("components").kernel.numpy().T.astype("float64")
    first, last = -history["loss"][0], -history["loss"][-1]
    print(
        f"{k:5} {first:20.2f} {last:12.2f} {log_marginal(train, trained[k]).mean():21.2f}"
        f" {log_marginal(train, w).mean():8.2f}"
    )

# %% [markdown]
# The library's class `IWAE` has the same step, and accepts the networks unchanged. With
# `samples=1`, it is a variational autoencoder. `importance_weighted_nll` averages many weights, and
# `PriorSampledModel` is a model trained on the naive estimate. We compare all of these results with
# the closed form.

# %%
model = IWAE(encoder, decoder, Normal(SIGMA), samples=5)
model.compile("adam")
evaluated = model.evaluate(test_images, batch_size=100, return_dict=True, verbose=0)
same = plain.evaluate(test_images, batch_size=100, return_dict=True, verbose=0)
weighted = importance_weighted_nll(model, test_images, samples=500)
naive = PriorSampledModel(decoder, Normal(SIGMA), samples=500)
naive.compile("adam")
from_prior = importance_weighted_nll(naive, test_images, samples=500)
estimates = {
    "closed form": log_marginal(test, trained[5]).mean(),
    "PlainBound, 5 draws": -same["loss"],
    "IWAE, 5 draws": -evaluated["loss"],
    "IWAE, ELBO": weighted["elbo"].mean(),
    "IWAE, 500 draws": -weighted["nll"].mean(),
    "prior, 500 draws": -from_prior["nll"].mean(),
}
print(f"mean log p(x) of {len(test)} test digits, nats")
for name, nats in estimates.items():
    print(f"{name:20} {nats:9.2f}")

# %% [markdown]
# Now look at the columns of the learned $W$. A linear autoencoder finds the subspace of the
# principal components, in any basis (chapter 1). Here, rotated columns also have the same
# likelihood. But the bound is tight only if the latents are independent in the posterior, which
# requires orthogonal columns. So the best decoder for the bound has the components *themselves* as
# columns, up to their signs (Lucas et al. 2019). We print the gap that remains even with the best
# $q$ with independent latents. For the rotated decoder, this gap is the divergence from section 5,
# which is the same for all images.


# %%
def lost(w):
    """Returns log p(x) minus the ELBO of the best q with independent latents, nats."""
    precision = np.eye(w.shape[1]) + w.T @ w / SIGMA**2
    return 0.5 * (np.sum(np.log(np.diag(precision))) - np.linalg.slogdet(precision)[1])


decoders = {"turned W": turned} | {f"k = {k}": learned for k, learned in trained.items()}
rows = []
print("decoder    lost, nats   |cosine| of the columns and the components, by rank")
for name, some_w in (decoders | {"best W": w}).items():
    lengths = np.linalg.norm(some_w, axis=0)
    columns = (some_w / lengths)[:, np.argsort(-lengths)]
    cosines = np.sum(columns * components[:, :LATENTS], axis=0)
    rows.append(columns * np.sign(cosines))
    print(f"{name:8} {lost(some_w):12.3f}   {np.abs(cosines).round(2)}")


def as_images(basis):
    """Returns directions as images; the largest negative value is black."""
    return as_uint8((basis / np.abs(basis).max(axis=0)).T)


z = random.normal(size=(LATENTS, LATENTS))
made = z @ trained[5].T + b
noise = SIGMA * random.normal(size=made.shape)
rows = [as_images(basis) for basis in rows]
rows += [as_uint8(made), as_uint8(made + noise), test_images[:LATENTS]]
names = ["turned W", "learned, k = 1", "learned, k = 5", "components"]
names += ["Wz + b", "samples x", "test digits"]
show(
    captioned(rows, names),
    "learned",
    "Columns of W: rotated, learned, and best. Below: samples from the model, and digits.",
)

# %% [markdown]
# The first row is the rotated decoder, which has the best likelihood but the largest gap. Training
# with one sample has nearly removed the gap. With five samples, more of the gap remains, because
# the bound of five samples depends less on $q$. With one sample, the first three columns are close
# to components. The other columns still mix components with similar eigenvalues, because rotating
# such components costs almost nothing.
#
# The decoder alone gives $W z + b$, the *mean* of an image. A sample from the model also includes
# the noise of each pixel. Neither the mean nor the sample is a good digit. The model's $p(x)$ is
# one normal distribution, a single hill, and digits are not distributed in this way. A network as
# the decoder can do better. Then the integral has no closed form, the posterior is not normal, and
# the bound is no longer tight. But sections 3 to 6 still apply, and the training step does not have
# to change. [Chapter 4](04_vae.md) continues from here.
#
# ## 8. Common claims, and what is true
#
# - **"Monte Carlo estimates of the likelihood are unbiased."** Estimates of $p(x)$ are unbiased.
#   But their *logarithms* are too low on average, by about $R / 2k$ if $k$ is large. So report the
#   number of samples with every $\log p(x)$.
# - **"Naive Monte Carlo does not work."** It works if few latents explain $x$ well enough, as with
#   two latents here. In the recipe `naive_monte_carlo_mnist`, a decoder with two latents, trained
#   with 50 prior samples, comes close to a VAE. With many latents, naive Monte Carlo fails.
# - **"The better the ELBO of a proposal, the better its estimates."** In the picture of section 6,
#   a $q$ with half the standard deviations has the better ELBO, but a $q$ with twice the standard
#   deviations is better for 100 samples. The ELBO tolerates a $q$ that is too narrow, but averages
#   of weights do not.
# - **"The latents are the causes of the data."** Rotated latents give the same $p(x)$. No data can
#   distinguish such rotations. Which rotation the bound prefers depends on the type of $q$ that we
#   allow.
#
# ## Questions
#
# **1.** In a mixture, $z$ has few values, and the posterior is easy to compute. Alternate two
# steps: set $q$ to the posterior of each example, then change the decoder so that the mean of the
# ELBO rises, with $q$ fixed. Why does the mean of $\log p(x)$ never fall?
#
# <details markdown="1"><summary>Answer</summary>
#
# After the first step, the bound is tight: it equals $\log p(x)$. The second step raises the bound,
# and the new $\log p(x)$ is at least the new bound. So it is at least its previous value. This is
# the *expectation-maximization* algorithm (EM). A variational autoencoder takes both steps at once,
# with gradients, and its $q$ never quite reaches the posterior.
#
# </details>
#
# **2.** Two models are compared on test digits, each by the mean of 100 weights. Model B has the
# lower estimate of $\log p(x)$. Is B the worse model?
#
# <details markdown="1"><summary>Answer</summary>
#
# We cannot tell yet. Both estimates are too low, but by different amounts, which depend on how far
# a model's *proposal* is from its posterior, not on $p(x)$. B may be the better model with the
# worse encoder. Increase the number of samples until the estimates stop rising, and check the
# effective sample size. Even these checks do not reveal regions from which the proposal never
# samples, as with the naive estimate for ten latents.
#
# </details>
#
# **3.** Change the code: in section 4, set `C = 0.5`, so that the proposal is *narrower* than the
# posterior. What happens to the variance, to the runs in the picture of estimates, and to the bound
# of $k$ samples?
#
# <details markdown="1"><summary>Answer</summary>
#
# $R$ is infinite, so the picture of variances has no second curve. The measured values are finite
# but meaningless. The runs in the other picture look stable, but they stay below the dashed line.
# With ten latents, 45 of 200,000 samples determine the sum, and the estimate is 0.43 nats too low.
# The bound of 1000 samples is 0.68 nats below $\log p(x)$; with `C = 1.5`, the difference was 0.009
# nats. The bound still rises with $k$, but the difference shrinks far more slowly than $1 / k$. So
# it is better for a proposal to be too wide than too narrow.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md). All are negative
# log-likelihoods per binarized test digit, in nats, except the last one.
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | naive Monte Carlo | `PriorSampledModel` | [naive_monte_carlo_mnist](../../recipes/naive_monte_carlo_mnist.py) | 146.81 nats with two latents, VAE 145.11; boosted trees 91.98 | [Doersch 2016](https://arxiv.org/abs/1606.05908) |
# | the bound of k samples | `IWAE` | [iwae_mnist](../../recipes/iwae_mnist.py) | 85.46 nats with k = 50, 86.46 with k = 1; paper 84.78 and 86.76 | [Burda et al. 2016](https://arxiv.org/abs/1509.00519) |
# | a bound compared with the known density | `VAE` | [vae_series_oscillations](../../recipes/vae_series_oscillations.py) | 1.780 nats below it; mixture of factor analyzers 0.3941 | [Kingma, Welling 2014](https://arxiv.org/abs/1312.6114) |
