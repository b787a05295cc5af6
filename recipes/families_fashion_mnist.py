"""All model families on Fashion-MNIST with the same training time.

Hinton, Salakhutdinov 2006 (autoencoder); Kingma, Welling 2014 (VAE); van den Oord et al. 2017
(VQ-VAE with a prior over its codes) and 2016 (PixelCNN); Kingma, Dhariwal 2018 (Glow); Goodfellow
et al. 2014 (GAN); Ho et al. 2020 (DDPM); Lipman et al. 2023 (flow matching).

  python recipes/families_fashion_mnist.py            76 minutes on one of two CPU cores
  python recipes/families_fashion_mnist.py --preset smoke  under a minute

All models are small, and are trained for about the same time. The networks are narrower versions of
the networks in each family's own recipes. The autoencoder generates images by decoding codes
sampled from a normal distribution with the mean and covariance of the training codes. All samples
are compared with training images as in dcgan_fashion_mnist, using two classifiers (the worse result
counts) and gradient histograms, which are not learned. For models with a likelihood, the test
likelihood is also reported: with importance samples for the VAE, as a bound for DDPM, and from the
differential equation for flow matching.

Minutes and milliseconds are core times, summed over all cores. The results are not properties of
the families; see each family's own recipes for the quality that it can reach.

Data: fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies

import dataclasses
import time
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.arguments import checked_choice
from keras_gen.autoencoders import Autoencoder
from keras_gen.autoregressive import CodePrior, PixelCNN
from keras_gen.core import ConstantThenLinear
from keras_gen.data import Source, pad_to, small_images
from keras_gen.diffusion import DDPM, FlowMatching
from keras_gen.flows import Flow
from keras_gen.gan import GAN
from keras_gen.losses import DiscretizedLogistic
from keras_gen.metrics import (
    GenerationEvaluation,
    bits_per_dimension,
    importance_weighted_nll,
    trained_extractors,
)
from keras_gen.networks import (
    conv_decoder,
    conv_encoder,
    dcgan_discriminator,
    dcgan_generator,
    gated_pixel_cnn,
    residual_decoder,
    residual_encoder,
    time_unet,
)
from keras_gen.vae import VAE, VQVAE
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import image_rows, samples

SHAPE = (28, 28, 1)
FIGURES = ("kernel_distance", "kernel_distance_gradients", "precision", "recall")
SHOWN = 10  # samples per family in the picture
IN_WORDS = {"mixture": "Gaussian mixture", "floor": "test images"}


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    families: str = "autoencoder vq_vae pixel_cnn flow gan ddpm flow_matching"
    """Families to train in addition to the VAE."""
    latent_dim: int = 32  # Number of latent dimensions in the autoencoder, VAE, and GAN
    filters: int = 32  # Channels of the first layers; deeper layers have more
    codebook_size: int = 128  # Number of entries in the codebook of the VQ-VAE, K
    autoencoder_steps: int = 1000  # Number of training steps for the autoencoder
    vq_vae_steps: int = 1000  # Number of training steps for the VQ-VAE
    prior_steps: int = 1000
    """Number of training steps for the prior over the codes of the VQ-VAE."""
    pixel_cnn_steps: int = 1000  # Number of training steps for the PixelCNN
    flow_steps: int = 1000  # Number of training steps for the flow
    gan_steps: int = 1000  # Number of training steps for the GAN
    ddpm_steps: int = 1000  # Number of training steps for DDPM
    flow_matching_steps: int = 1000  # Number of training steps for flow matching
    learning_rate: float = 1e-3
    """Adam's learning rate for all models except the GAN; linear decay to 0 in the second half."""
    gan_rate: float = 2e-4  # Adam's learning rate for both networks of the GAN
    sampling_steps: int = 25
    """Number of sampling steps; Heun's method evaluates the network twice per step."""
    nll_samples: int = 100  # Number of importance samples per test image for the VAE
    scored: int = 200  # Number of test images whose likelihood is evaluated
    compared: int = 2000
    """Number of images to compare from each set: samples, test images, and training images."""
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(families="autoencoder gan", latent_dim=4, filters=8, autoencoder_steps=2,
                  gan_steps=2, epochs=2, steps_per_epoch=2, batch_size=16, nll_samples=2,
                  scored=10, compared=20, classifier_steps=5),
    "cpu": dict(autoencoder_steps=3500, vq_vae_steps=800, prior_steps=800, pixel_cnn_steps=850,
                flow_steps=3500, gan_steps=3400, ddpm_steps=850, flow_matching_steps=850,
                epochs=12, steps_per_epoch=300, batch_size=128, mixed_precision="none"),
    "paper": dict(filters=128, autoencoder_steps=100_000, vq_vae_steps=100_000,
                  prior_steps=100_000, pixel_cnn_steps=100_000, flow_steps=100_000,
                  gan_steps=100_000, ddpm_steps=100_000, flow_matching_steps=100_000, epochs=200,
                  steps_per_epoch=500, batch_size=128, compared=10_000),
}  # fmt: skip


def main(run: Run, s: Settings):
    families = [checked_choice("families", name, FAMILIES) for name in s.families.split()]
    data = run.load(small_images("fashion_mnist", labels=True))
    images, labels = data.train.arrays()
    test_images, _ = data.test.arrays()
    test_images = test_images[: s.compared]
    train = Source(images)

    # Train the VAE, the main model.
    with run.strategy.scope():
        vae = VAE(encoder(s, ("mean", "log_variance")), decoder(s), DiscretizedLogistic(),
                  seed=s.seed)  # fmt: skip
        run.compile(vae, Adam(run.in_halves(s.learning_rate)))
    # Each step: one joint update of the encoder and the decoder.
    _, seconds = timed(run.fit, vae, train, samples)
    run.export(vae, default="sample")
    minutes = seconds / 60

    padded = pad_to(images, 32).numpy()
    extractors = trained_extractors(padded, labels, s.classifier_steps)
    evaluate = GenerationEvaluation(extractors, padded[: len(test_images)], s.seed)

    scored = test_images[: s.scored]
    nats = importance_weighted_nll(vae, scored, s.nll_samples, seed=s.seed)
    bits = in_bits(nats["nll"], "none")
    rows = {"vae": measured(partial(vae.sample, seed=s.seed), evaluate, minutes, bits)}
    for name in families:
        rows[name] = run.once(name, FAMILIES[name], run, s, train, scored, evaluate)

    with run.evaluation(vae) as metrics:
        rows["mixture"] = evaluated(
            mixture_samples(images, len(test_images), seed=s.seed, black=True), evaluate
        )
        rows["floor"] = evaluated(test_images, evaluate)
        shown = {name: np.array(row.pop("samples"), "uint8") for name, row in rows.items()}
        run.draw("families", image_rows({IN_WORDS.get(k, k): v for k, v in shown.items()}))
        for name, row in rows.items():
            metrics |= {f"{key}_{name}": value for key, value in row.items()}
        metrics |= extractor_accuracies(extractors)


# The families ------------------------------------------------------------------------------------


def autoencoder(run, s, train, scored, evaluate):
    """Trains an autoencoder, and samples codes from a normal distribution fitted to them."""
    with run.strategy.scope():
        model = Autoencoder(encoder(s, ("codes",)), decoder(s), DiscretizedLogistic(), s.seed)
    minutes = fitted(run, s, model, train, s.autoencoder_steps)
    codes = model.encode(train.arrays())
    mean, covariance = codes.mean(axis=0), np.cov(codes.T)

    def draw(n):
        rng = np.random.default_rng(s.seed)
        return model.decode(rng.multivariate_normal(mean, covariance, n).astype("float32"))

    return measured(draw, evaluate, minutes)


def vq_vae(run, s, train, scored, evaluate):
    """Trains a VQ-VAE, and then a prior over its codes."""
    likelihood = DiscretizedLogistic()
    sizes = dict(latent_dim=4, filters=2 * s.filters, residual_filters=s.filters)
    with run.strategy.scope():
        coder = VQVAE(
            residual_encoder(SHAPE, **sizes),
            residual_decoder((*SHAPE[:2], likelihood.params_per_value), **sizes),
            likelihood,
            s.codebook_size,
            # This weight corresponds to 0.25 for losses averaged over all values; see `VQVAE`.
            commitment_weight=0.25 * np.prod(SHAPE) / 4,
            seed=s.seed,
        )
    minutes = fitted(run, s, coder, train, s.vq_vae_steps)
    with run.strategy.scope():
        network = gated_pixel_cnn(
            (7, 7, 1),
            outputs_per_value=s.codebook_size,
            filters=2 * s.filters,
            blocks=4,
            first_kernel=5,
            kernel=3,
            levels=s.codebook_size,
            unordered=True,
        )
        prior = CodePrior(network, coder, seed=s.seed)
    minutes += fitted(run, s, prior, train, s.prior_steps)
    return measured(partial(prior.sample, seed=s.seed), evaluate, minutes)


def pixel_cnn(run, s, train, scored, evaluate):
    """Trains a PixelCNN with mixtures of logistic distributions."""
    likelihood = DiscretizedLogistic(mixtures=5)
    with run.strategy.scope():
        network = gated_pixel_cnn(
            SHAPE,
            outputs_per_value=likelihood.params_per_value,
            filters=s.filters // 2,
            kernel=3,
            levels=None,
        )
        model = PixelCNN(network, likelihood, seed=s.seed)
    minutes = fitted(run, s, model, train, s.pixel_cnn_steps)
    bits = in_bits(-model.log_prob(scored), "none")
    return measured(partial(model.sample, seed=s.seed), evaluate, minutes, bits)


def flow(run, s, train, scored, evaluate):
    """Trains a Glow with two scales."""
    with run.strategy.scope():
        sizes = dict(scales=2, steps=4, filters=s.filters, alpha=5e-4)
        model = Flow.for_images(SHAPE, **sizes, seed=s.seed)
    minutes = fitted(run, s, model, train, s.flow_steps)
    bits = in_bits(-model.log_prob(scored), "uniform")
    return measured(partial(model.sample, seed=s.seed), evaluate, minutes, bits)


def gan(run, s, train, scored, evaluate):
    """Trains a DCGAN."""
    with run.strategy.scope():
        generator = dcgan_generator(SHAPE, s.latent_dim, s.filters)
        model = GAN(generator, dcgan_discriminator(SHAPE, s.filters), seed=s.seed)
        rates = dict(d_optimizer=Adam(s.gan_rate, 0.5), g_optimizer=Adam(s.gan_rate, 0.5))
        run.compile(model, **rates)
    minutes = trained(s, model, train, s.gan_steps)
    return measured(partial(model.sample, seed=s.seed), evaluate, minutes)


def ddpm(run, s, train, scored, evaluate):
    """Trains a DDPM on the cosine path with v-prediction."""
    with run.strategy.scope():
        network = time_unet(SHAPE, (s.filters, 2 * s.filters))
        model = DDPM(network, "cosine", "v", seed=s.seed)
    minutes = fitted(run, s, model, train, s.ddpm_steps)
    draw = partial(model.sample, seed=s.seed, steps=s.sampling_steps, solver="heun")
    bits = in_bits(-model.log_prob(scored), "none")
    return measured(draw, evaluate, minutes, bits)


def flow_matching(run, s, train, scored, evaluate):
    """Trains flow matching on straight lines, with the network of the DDPM."""
    with run.strategy.scope():
        model = FlowMatching(time_unet(SHAPE, (s.filters, 2 * s.filters)), seed=s.seed)
    minutes = fitted(run, s, model, train, s.flow_matching_steps)
    draw = partial(model.sample, seed=s.seed, steps=s.sampling_steps, solver="heun")
    bits = in_bits(-model.log_prob(scored), "uniform")
    return measured(draw, evaluate, minutes, bits)


def encoder(s, heads):
    return conv_encoder(SHAPE, s.latent_dim, (s.filters, 2 * s.filters), heads=heads)


def decoder(s):
    shape = (*SHAPE[:2], DiscretizedLogistic().params_per_value)
    return conv_decoder(shape, s.latent_dim, (s.filters, 2 * s.filters))


# Training and evaluation --------------------------------------------------------------------------


def fitted(run, s, model, train, steps):
    """Trains a model with one optimizer, and returns the minutes."""
    with run.strategy.scope():
        run.compile(model, Adam(ConstantThenLinear.in_halves(s.learning_rate, steps)))
    return trained(s, model, train, steps)


def trained(s, model, train, steps):
    stream = train.stream(s.batch_size, s.seed)
    _, seconds = timed(model.fit, stream, steps_per_epoch=steps, verbose=0)
    return seconds / 60


def timed(function, *arguments, **options):
    """Returns the result of a function and its core time in seconds."""
    start = time.process_time()
    result = function(*arguments, **options)
    return result, time.process_time() - start


def measured(draw, evaluate, minutes, bits=None):
    """Returns the metrics of a family: `draw` returns n samples, uint8."""
    draw(SHOWN)  # traces the function before the timed call
    drawn, seconds = timed(draw, len(evaluate.real))
    row = {"minutes": minutes, "ms_per_sample": 1000 * seconds / len(drawn)}
    if bits is not None:
        row["bits"] = bits
    return evaluated(drawn, evaluate) | row


def in_bits(nats, dequantization):
    """Returns bits per dimension of the levels, or of a density that bounds them."""
    return float(bits_per_dimension(np.mean(nats), np.prod(SHAPE), dequantization))


def evaluated(images, evaluate):
    found = evaluate(pad_to(images, 32).numpy())
    row = {key: found[key] for key in FIGURES}
    return row | {"samples": images[:SHOWN].tolist()}


FAMILIES = {
    "autoencoder": autoencoder,
    "vq_vae": vq_vae,
    "pixel_cnn": pixel_cnn,
    "flow": flow,
    "gan": gan,
    "ddpm": ddpm,
    "flow_matching": flow_matching,
}


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
