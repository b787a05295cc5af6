"""Numbers that are reported and never optimised."""

from keras_gen.metrics import domain_classifier
from keras_gen.metrics.domain_classifier import train_domain_classifier
from keras_gen.metrics.kernel_distance import kernel_distance
from keras_gen.metrics.translation import cycle_error, luma_ssim, translation_report

__all__ = [
    "cycle_error",
    "domain_classifier",
    "kernel_distance",
    "luma_ssim",
    "train_domain_classifier",
    "translation_report",
]
