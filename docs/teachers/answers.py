"""Answers to the assignments of the course, for teachers: written out, without the library.

Each function has the name and the arguments of an exercise in `keras_gen/course/exercises.py`.
"""

import numpy as np
import tensorflow as tf
from scipy.linalg import sqrtm
from scipy.special import entr, log_softmax, rel_entr, softmax

# 1. Autoencoders


def squared_error(images, reconstructions):
    return np.sum((images - reconstructions) ** 2, axis=(1, 2))


def pca_reconstruction(x, mean, directions):
    codes = (x - mean) @ directions.T
    return codes @ directions + mean


def smallest_error(x, k):
    centered = x - x.mean(axis=0)
    variances = np.linalg.eigvalsh(centered.T @ centered / len(x))  # smallest first
    return variances[: len(variances) - k].sum()


# 2. Denoising, sparse, and contractive autoencoders


def masking_noise(x, uniform, rate):
    return x * (uniform >= rate)


def score(noisy, denoised, sigma):
    return (denoised - noisy) / sigma**2


def sparsity_penalty(activity, target):
    return np.sum(rel_entr(target, activity) + rel_entr(1 - target, 1 - activity))


def contraction(codes, weights):
    slopes = codes * (1 - codes)
    jacobians = slopes[:, None, :] * weights
    return np.sum(jacobians**2, axis=(1, 2))


# 3. Latent variables


def log_normal(x, mean, log_variance):
    squares = (x - mean) ** 2 / np.exp(log_variance)
    return -0.5 * np.sum(squares + log_variance + np.log(2 * np.pi), axis=1)


def log_mean_exp(log_weights):
    most = log_weights.max(axis=0)
    return most + np.log(np.mean(np.exp(log_weights - most), axis=0))


def elbo(log_likelihood, log_prior, log_proposal):
    return np.mean(log_likelihood + log_prior - log_proposal, axis=0)


def effective_samples(log_weights):
    weights = np.exp(log_weights - log_weights.max(axis=0))
    return weights.sum(axis=0) ** 2 / np.sum(weights**2, axis=0)


# 4. The variational autoencoder


def reparameterized(mean, log_variance, noise):
    return mean + np.exp(0.5 * log_variance) * noise


def kl(mean, log_variance):
    return 0.5 * np.sum(mean**2 + np.exp(log_variance) - log_variance - 1, axis=1)


def log_bernoulli(logits, x):
    return np.sum(x * logits - np.logaddexp(0, logits), axis=1)


def kl_between(mean_q, log_variance_q, mean_p, log_variance_p):
    squares = (mean_q - mean_p) ** 2 + np.exp(log_variance_q)
    logs = log_variance_p - log_variance_q
    return 0.5 * np.sum(squares / np.exp(log_variance_p) + logs - 1, axis=1)


# 5. Discrete latents


def nearest_code(latents, codebook):
    differences = latents[:, None, :] - codebook[None, :, :]
    return np.argmin(np.sum(differences**2, axis=2), axis=1)


def straight_through(latents, quantized):
    return latents + tf.stop_gradient(quantized - latents)


def gumbel_softmax(logits, gumbel, temperature):
    return tf.nn.softmax((logits + gumbel) / temperature)


def code_perplexity(indices, codes):
    shares = np.bincount(indices, minlength=codes) / len(indices)
    return np.exp(np.sum(entr(shares)))


# 6. Disentangling


def capacity_loss(kl, capacity, weight):
    return weight * abs(kl - capacity)


def mutual_information_gap(information, entropies):
    ordered = np.sort(information, axis=0)
    return np.mean((ordered[-1] - ordered[-2]) / entropies)


def unlabeled_bound(bounds, logits):
    q = softmax(logits, axis=1)
    return np.sum(q * (bounds - log_softmax(logits, axis=1)), axis=1)


# 7. Autoregressive models


def causal_mask(n):
    places = np.arange(n)
    return places[:, None] >= places[None, :]


def with_temperature(logits, temperature):
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def chain_log_prob(logits, levels):
    logs = log_softmax(logits, axis=2)
    chosen = np.eye(logits.shape[2])[levels]
    return np.sum(logs * chosen, axis=(1, 2))


def pixel_mask(size, sees_itself):
    mask = np.zeros(size * size)
    mask[: size * size // 2 + sees_itself] = 1
    return mask.reshape(size, size)


def causal_attention(queries, keys, values):
    scores = queries @ keys.T / np.sqrt(queries.shape[1])
    future = np.triu(np.ones_like(scores), k=1) > 0
    scores[future] = -np.inf
    return softmax(scores, axis=1) @ values


# 8. Normalizing flows


def flow_log_prob(z, log_det):
    return -0.5 * np.sum(z**2 + np.log(2 * np.pi), axis=1) + log_det


def coupling_inverse(y, network):
    first, last = np.split(y, 2, axis=1)
    log_scale, shift = network(first)
    return np.concatenate([first, (last - shift) / np.exp(log_scale)], axis=1)


def bits(nats, dimensions, levels):
    return nats / dimensions / np.log(2) + np.log2(levels)


def convolution_log_det(matrix, height, width):
    return height * width * np.log(abs(np.linalg.det(matrix)))


# 9. GANs


def best_discriminator(p, q):
    return p / (p + q)


def discriminator_loss(real_logits, fake_logits):
    return np.logaddexp(0, -real_logits) + np.logaddexp(0, fake_logits)


def nonsaturating_loss(fake_logits):
    return np.logaddexp(0, -fake_logits)


def jensen_shannon(p, q):
    m = (p + q) / 2
    return 0.5 * np.sum(rel_entr(p, m) + rel_entr(q, m))


# 10. GANs for images


def truncated(style, mean_style, psi):
    return mean_style + psi * (style - mean_style)


def hinge_loss(real_logits, fake_logits):
    return np.maximum(0, 1 - real_logits) + np.maximum(0, 1 + fake_logits)


def gradient_penalty(critic, real, fake, epsilon):
    between = epsilon * real + (1 - epsilon) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        value = tf.reduce_sum(critic(between))
    slopes = tf.norm(tape.gradient(value, between), axis=1)
    return (slopes - 1) ** 2


def frechet(mean_a, covariance_a, mean_b, covariance_b):
    root = sqrtm(covariance_a @ covariance_b).real
    traces = np.trace(covariance_a + covariance_b - 2 * root)
    return np.sum((mean_a - mean_b) ** 2) + traces


# 11. Image-to-image translation


def cycle_loss(x, forward, backward):
    return np.mean(abs(backward(forward(x)) - x), axis=1)


def psnr(images, originals):
    return 10 * np.log10(1 / np.mean((images - originals) ** 2, axis=1))


def pix2pix_loss(fake_logits, fake, target, weight):
    adversarial = np.mean(np.logaddexp(0, -fake_logits), axis=(1, 2))
    return adversarial + weight * np.mean(abs(fake - target), axis=1)


def pixel_shuffle(maps, factor):
    n, height, width, _ = maps.shape
    image = np.zeros([n, height * factor, width * factor])
    for row in range(factor):
        for column in range(factor):
            image[:, row::factor, column::factor] = maps[..., row * factor + column]
    return image


# 12. Adversarial training for other purposes


def fgsm(x, gradient, epsilon):
    return np.clip(x + epsilon * np.sign(gradient), 0, 1)


def pgd_step(x, original, gradient, step, epsilon):
    moved = x + step * np.sign(gradient)
    change = np.clip(moved - original, -epsilon, epsilon)
    return np.clip(original + change, 0, 1)


def parity_gap(decisions, attributes):
    return abs(decisions[attributes == 1].mean() - decisions[attributes == 0].mean())


def gradient_reversal(x, weight):
    return tf.stop_gradient((1 + weight) * x) - weight * x


# 13. Diffusion and flow matching


def noised(x, noise, alpha_bar):
    return np.sqrt(alpha_bar) * x + np.sqrt(1 - alpha_bar) * noise


def predicted_example(x_t, noise, alpha_bar):
    return (x_t - np.sqrt(1 - alpha_bar) * noise) / np.sqrt(alpha_bar)


def guided(conditional, unconditional, weight):
    return conditional + weight * (conditional - unconditional)


def ddpm_posterior(x_t, x_0, alpha_bar_before, alpha_bar):
    alpha = alpha_bar / alpha_bar_before
    beta = 1 - alpha
    of_example = np.sqrt(alpha_bar_before) * beta / (1 - alpha_bar)
    of_point = np.sqrt(alpha) * (1 - alpha_bar_before) / (1 - alpha_bar)
    variance = (1 - alpha_bar_before) / (1 - alpha_bar) * beta
    return of_example * x_0 + of_point * x_t, variance


# 14. Diffusion for images


def v_target(x, noise, alpha_bar):
    return np.sqrt(alpha_bar) * noise - np.sqrt(1 - alpha_bar) * x


def example_of_v(x_t, v, alpha_bar):
    return np.sqrt(alpha_bar) * x_t - np.sqrt(1 - alpha_bar) * v


def ddim_step(x_t, noise, alpha_bar_before, alpha_bar):
    x_0 = (x_t - np.sqrt(1 - alpha_bar) * noise) / np.sqrt(alpha_bar)
    return np.sqrt(alpha_bar_before) * x_0 + np.sqrt(1 - alpha_bar_before) * noise


# 15. Energy-based models and scores


def langevin_step(x, score, noise, step):
    return x + 0.5 * step * score + np.sqrt(step) * noise


def contrastive_loss(energy, examples, samples):
    return np.mean(energy(examples)) - np.mean(energy(samples))


def acceptance(energy, new_energy, log_forward, log_backward):
    log_ratio = energy - new_energy + log_backward - log_forward
    return np.exp(np.minimum(0, log_ratio))


def score_matching_loss(score, x, noisy, sigma):
    noise = (noisy - x) / sigma
    return 0.5 * np.sum((sigma * score + noise) ** 2, axis=1)


# 16. Evaluation


def nearest_distance(samples, training):
    squares = np.sum((samples[:, None] - training[None]) ** 2, axis=2)
    return np.sqrt(squares.min(axis=1))


def inception_score_of(probabilities):
    divergences = np.sum(rel_entr(probabilities, probabilities.mean(axis=0)), axis=1)
    return np.exp(np.mean(divergences))


def kernel_distance_of(x, y):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def different(a):
        pairs = ~np.eye(len(a), dtype=bool)
        return kernel(a, a)[pairs].mean()

    return different(x) + different(y) - 2 * kernel(x, y).mean()


# 17. Words


def word_perplexity(bits, characters, words):
    return 2 ** (bits * characters / words)


def bits_per_character(logits, characters):
    logs = log_softmax(logits, axis=2) / np.log(2)
    text, place = np.nonzero(characters >= 0)
    return -np.mean(logs[text, place, characters[text, place]])


def top_p(p, mass):
    order = np.argsort(-p, axis=1)
    likeliest = np.take_along_axis(p, order, axis=1)
    before = np.cumsum(likeliest, axis=1) - likeliest
    likeliest = np.where(before < mass, likeliest, 0)
    q = np.zeros_like(p)
    np.put_along_axis(q, order, likeliest, axis=1)
    return q / q.sum(axis=1, keepdims=True)


def paired_difference(first, second, sizes):
    d = second - first
    difference = d.sum() / sizes.sum()
    residuals = d - difference * sizes
    stories = len(d)
    error = np.sqrt(stories / (stories - 1) * np.sum(residuals**2)) / sizes.sum()
    return difference, error


def kneser_ney(counts, discount):
    seen = counts > 0
    shorter = seen.sum(axis=0) / seen.sum()
    mass = np.maximum(counts - discount, 0)
    mass = mass + discount * seen.sum(axis=1, keepdims=True) * shorter
    return mass / counts.sum(axis=1, keepdims=True)
