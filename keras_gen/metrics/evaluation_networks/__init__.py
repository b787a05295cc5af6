"""Networks in whose features or by whose answers images are measured."""

from keras_gen.metrics.evaluation_networks import domain_classifier
from keras_gen.metrics.evaluation_networks.domain_classifier import train_domain_classifier
from keras_gen.metrics.evaluation_networks.extractors import (
    Extractor,
    inception_v3,
    keras_extractor,
    resize_images,
    trained_extractor,
    trained_extractors,
)
from keras_gen.metrics.evaluation_networks.image_classifier import train_classifier

__all__ = [
    "Extractor",
    "domain_classifier",
    "inception_v3",
    "keras_extractor",
    "resize_images",
    "train_classifier",
    "train_domain_classifier",
    "trained_extractor",
    "trained_extractors",
]
