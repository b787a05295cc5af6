"""What names in the examples of docstrings stand for: small data, networks, and models."""

import functools
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf

from keras_gen import data, layers
from keras_gen.core.schedules import Linear
from keras_gen.gan import GAN, WGAN
from keras_gen.networks import dirac_networks
from keras_gen.vae import VAE
from keras_gen.vae.sampling_weights import SamplingWeights
from keras_gen.workshop.baselines import BernoulliMixture


def noise(*shape: int) -> np.ndarray:
    """Images of independent pixels."""
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def gradients(count: int, side: int) -> np.ndarray:
    """Images with areas of slowly changing color, and edges."""
    rows, columns = np.mgrid[:side, :side] / side
    start = np.arange(count)[:, None, None, None] / count
    colors = np.stack([rows, columns, rows * columns], axis=-1)
    return (255 * ((colors + start) % 1)).astype("uint8")


class Stub:
    """Stands for a model: it samples images that are given, and translates images to themselves."""

    def __init__(self, images: np.ndarray):
        self.images = images

    def sample(self, n: int) -> np.ndarray:
        return self.images[:n]

    def translate(self, images, *_):
        return images

    def inpaint(self, images, masks):
        return images

    @property
    def encoder(self) -> keras.Model:
        return classifier()


@functools.cache
def classifier() -> keras.Model:
    flat = [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential(flat)


def features_of(images: np.ndarray) -> dict[str, np.ndarray]:
    numbers = images.reshape(len(images), -1) / 99.0
    return {"features": numbers[:, :4], "logits": numbers[:, :3]}


def enlarged(images: np.ndarray) -> np.ndarray:
    return images.repeat(4, axis=1).repeat(4, axis=2)


@functools.cache
def usual() -> dict:
    """What names mean in most examples."""
    digits = noise(128, 16, 16, 1)
    photos = gradients(12, 32)
    random = np.random.default_rng(1)
    codes = random.normal(size=(24, 4)).astype("float32")
    classes = np.arange(24) % 3
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    images = dict.fromkeys(
        ("digits", "test_digits", "test_images", "train_images", "training_images", "real"), digits
    )
    photographs = dict.fromkeys(("photos", "maps", "photographs", "training_paintings"), photos)
    return {
        **images,
        **photographs,
        "Factors": data.Factors,
        "Linear": Linear,
        "SamplingWeights": SamplingWeights,
        "asked": (photos[..., 0] > 99).astype("int64"),
        "benchmark_images": lambda factor: {"Set5": list(photos[:2])},
        "codes": codes,
        "extractor": features_of,
        "factors": random.integers(0, 3, (200, 4)),
        "files": [str(number) for number in range(12)],
        "gan": Stub(digits),
        "generated": digits[::-1],
        "generated_features": codes[::-1] + 0.1,
        "images": digits,
        "keras": keras,
        "labels": np.arange(128) % 3,
        "log_codes": tf.nn.log_softmax(tf.zeros([4, 3, 2])),
        "masks": digits > 99,
        "mean": tf.random.stateless_normal([8, 2], [0, 0]),
        "metrics": {},
        "model": Stub(digits),
        "network": network,
        "noise": tf.random.stateless_normal([4, 3, 2], [0, 0]),
        "np": np,
        "originals": photos,
        "paintings": photos[::-1],
        "photo": photos[0],
        "real_features": codes,
        "real_images": digits,
        "samples": digits,
        "sexes": classes % 2,
        "source": data.Source(digits),
        "std": 0.5,
        "test_codes": codes[::-1],
        "test_labels": classes[::-1],
        "test_sexes": classes[::-1] % 2,
        "tests": list(photos[:3]),
        "tf": tf,
        "train_codes": codes,
        "train_labels": classes,
        "training_videos": noise(3, 4, 16, 16, 1),
        "translated": photos[::-1],
        "upscaled": photos[::-1],
        "validation_images": digits,
    }


def of_points() -> dict:
    model = GAN(*dirac_networks(), data="vectors")
    model.compile(d_optimizer="sgd", g_optimizer="sgd")
    return {"model": model}


def of_attacks() -> dict:
    digits = noise(4, 16, 16, 1).astype("float32") / 255
    identity = lambda x, training=False: x  # noqa: E731
    return {"model": classifier(), "digits": digits, "labels": np.arange(4) % 3, "vae": identity}


def of_likelihoods() -> dict:
    return {
        "vae": VAE.for_images((16, 16, 1), latent_dim=2, filters=(4,)),
        "test_images": noise(4, 16, 16, 1),
        "BernoulliMixture": BernoulliMixture,
        "binary_digits": (noise(4, 16, 16, 1) > 99).astype("float32"),
    }


def of_class_labels() -> dict:
    return {"labels": np.arange(24) % 3}


def of_sounds() -> dict:
    return {"source": data.Source(noise(16, 4096, 1))}


def of_videos() -> dict:
    return {"model": Stub(noise(3, 4, 16, 16, 1))}


def of_tables() -> dict:
    random = np.random.default_rng(0)
    rows = {"age": random.integers(20, 60, 60), "kind": random.choice(["cat", "dog"], 60)}
    model = SimpleNamespace(sample=lambda n: rows)
    return {"columns": data.table_columns(rows), "held_out": rows, "rows": rows, "model": model}


def of_many_codes() -> dict:
    codes = np.random.default_rng(0).normal(size=(1000, 4)).astype("float32")
    return {"codes": codes, "labels": np.arange(1000) % 3}


SPECIAL = {
    "data.binarize": lambda: {
        "images": noise(4, 8, 8, 1),
        "source": data.Source(noise(64, 8, 8, 1)),
    },
    "data.draw_normal": lambda: {
        "model": SimpleNamespace(encode=lambda x: np.zeros([2, 128, 2], "float32"))
    },
    "data.on_photographs": lambda: {"digits": noise(4, 28, 28, 1)},
    "data.few_labels": lambda: {"source": data.Source(noise(9, 4, 4, 1))},
    "data.random_crop_flip": lambda: {"source": data.Source(noise(2, 140, 140, 1))},
    "data.random_excerpt": of_sounds,
    "data.random_shift": of_sounds,
    "metrics.bin_shares": lambda: {"images": noise(60, 16, 16, 1)},
    "metrics.border_change": lambda: {"photos": gradients(4, 96)},
    **dict.fromkeys(
        (f"metrics.{name}" for name in ("closest_rows", "detection_auc", "table_fidelity")),
        of_tables,
    ),
    "metrics.class_report": lambda: {"classes": np.arange(128) % 3},
    "metrics.critic_distances": lambda: {"model": WGAN.for_vectors(2, latent_dim=2)},
    "metrics.enlargement_report": lambda: {
        "benchmark_images": lambda factor: {"Set5": list(gradients(2, 128))},
        "model": SimpleNamespace(translate=enlarged),
    },
    "metrics.importance_weighted_nll": of_likelihoods,
    "metrics.kmeans_report": of_class_labels,
    "metrics.latent_grid": of_likelihoods,
    "metrics.linear_probe": of_many_codes,
    "metrics.mesh": lambda: {"model": Stub(gradients(12, 32))},
    "metrics.motion_distances": of_videos,
    "metrics.motion_statistics": of_videos,
    "metrics.Extractor": lambda: {"network": classifier()},
    "metrics.ms_ssim": lambda: {"photos": gradients(4, 192), "translated": gradients(4, 192)},
    "metrics.nll_summary": of_likelihoods,
    "metrics.perceptual_path_length": lambda: {"generator": lambda z: z, "features": tf.identity},
    "metrics.retrieval_curve": lambda: {},
    "metrics.sample_report": lambda: {"extractors": {"small": features_of}},
    "metrics.stacked_modes": lambda: {
        "model": Stub(noise(12, 16, 16, 3)),
        "extractor": lambda x: {"logits": x.reshape(len(x), -1)[:, :10] / 9.0},
    },
    "metrics.trajectory": of_points,
    "metrics.TranslationEvaluation": lambda: {"classifiers": {}},
    "metrics.update_field": of_points,
    "metrics.update_jacobian": of_points,
    "metrics.usefulness": of_tables,
    "networks.with_layer": lambda: {"MinibatchDiscrimination": layers.MinibatchDiscrimination},
    "networks.copied": lambda: {"source_encoder": usual()["network"]},
}


def names_of(example: str) -> dict:
    """What further names stand for in the example of a function or class."""
    special = of_attacks if example.startswith("robustness.") else SPECIAL.get(example, dict)
    return usual() | special()
