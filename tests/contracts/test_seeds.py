"""A seed that `sample` refuses is refused by all that `test_functions.py` does not try."""

import numpy as np
import pytest

from keras_gen import GAN, VAE, FlowMatching
from keras_gen.data import Source, offline_pairs
from keras_gen.latents import nearest_latents
from keras_gen.metrics import train_classifier
from keras_gen.networks import conv_classifier
from keras_gen.robustness import PGD
from keras_gen.workshop.baselines import color_transfer
from keras_gen.workshop.visualize import flowing, random_codes

IMAGES = np.zeros((4, 8, 8, 1), "uint8")
LABELS = np.array([0, 1, 0, 1])
POINTS = np.zeros((4, 2), "float32")


@pytest.fixture(scope="module")
def models():
    return {
        "flow": FlowMatching.for_vectors(2, width=4, blocks=1),
        "gan": GAN.for_images((8, 8, 1), latent_dim=2, filters=2),
        "vae": VAE.for_images((8, 8, 1), latent_dim=2),
        "classifier": conv_classifier(1, 2, widths=(4,)),
    }


CALLS = {
    "sample": lambda m, seed: m["flow"].sample(2, seed=seed),
    "straightness": lambda m, seed: m["flow"].straightness(2, seed=seed),
    "flowing": lambda m, seed: flowing({"flow": m["flow"]}, seed=seed),
    "draw_latents": lambda m, seed: m["gan"].draw_latents(2, seed=seed),
    "latent_arithmetic": lambda m, seed: m["gan"].latent_arithmetic(*3 * [POINTS], seed=seed),
    "nearest_latents": lambda m, seed: nearest_latents(m["gan"], IMAGES, seed=seed),
    "constructor": lambda m, seed: VAE.for_images((8, 8, 1), seed=seed),
    "attack": lambda m, seed: PGD(0.1)(m["classifier"], IMAGES, LABELS, seed=seed),
    "random_codes": lambda m, seed: random_codes(m["vae"], POINTS, seed=seed),
    "stream": lambda m, seed: Source(IMAGES).stream(2, seed=seed),
    "batches": lambda m, seed: Source(IMAGES).batches(2, seed=seed, augment=lambda x, s: x),
    "offline_pairs": lambda m, seed: offline_pairs(32, seed=seed),
    "train_classifier": lambda m, seed: train_classifier(IMAGES, LABELS, steps=1, seed=seed),
    "color_transfer": lambda m, seed: color_transfer(IMAGES, IMAGES, seed=seed),
}


@pytest.mark.parametrize("name", CALLS)
def test_wrong_seeds_are_refused(models, name):
    for seed in ("a", 0.5, True):
        with pytest.raises(
            TypeError, match=r"^seed is .*: expected an integer from 0 to 2147483647"
        ):
            CALLS[name](models, seed)
    for seed in (-1, 2**31):
        with pytest.raises(
            ValueError, match=rf"^seed is {seed}: expected an integer from 0 to 2147483647\.$"
        ):
            CALLS[name](models, seed)
