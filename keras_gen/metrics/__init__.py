"""Numbers that are reported and never optimized."""

from keras_gen.metrics.evaluation_networks import domain_classifier
from keras_gen.metrics.evaluation_networks.domain_classifier import train_domain_classifier
from keras_gen.metrics.evaluation_networks.extractors import (
    Extractor,
    inception_v3,
    keras_extractor,
    resize_images,
    trained_extractor,
)
from keras_gen.metrics.evaluation_networks.image_classifier import train_classifier
from keras_gen.metrics.image_pairs.image_quality import (
    PSNR,
    SSIM,
    L1Error,
    color_statistics,
    l1_error,
    psnr,
    squared_error,
    ssim,
)
from keras_gen.metrics.image_pairs.inpainting import border_mean, hole_psnr
from keras_gen.metrics.likelihood.likelihood import (
    ActiveUnits,
    BitsPerDimension,
    active_units,
    bits_per_dimension,
    elbo_terms,
    importance_weighted_nll,
)
from keras_gen.metrics.neighbors import nearest_neighbors
from keras_gen.metrics.representations.disentanglement import (
    beta_vae_score,
    dci_scores,
    factor_vae_score,
    modularity_score,
    mutual_information_gap,
    sap_score,
)
from keras_gen.metrics.representations.representation import (
    auroc,
    cluster_purity,
    kmeans_report,
    knn_accuracy,
    linear_probe,
    retrieval_curve,
    retrieval_precision,
)
from keras_gen.metrics.representations.transfer import transfer_report
from keras_gen.metrics.samples.frechet import (
    FeatureMoments,
    Moments,
    frechet_distance,
    frechet_infinity,
    moments,
)
from keras_gen.metrics.samples.generation import generation_report
from keras_gen.metrics.samples.inception_score import InceptionScore, inception_score
from keras_gen.metrics.samples.kernel_distance import kernel_distance
from keras_gen.metrics.samples.memorization import memorization
from keras_gen.metrics.samples.modes import (
    GaussianModes,
    gaussian_modes,
    grid_centers,
    label_modes,
    ring_centers,
    stacked_modes,
)
from keras_gen.metrics.samples.path_length import perceptual_path_length
from keras_gen.metrics.samples.prdc import prdc
from keras_gen.metrics.samples.translation import cycle_error, luma_ssim, translation_report

__all__ = [
    "PSNR",
    "SSIM",
    "ActiveUnits",
    "BitsPerDimension",
    "Extractor",
    "FeatureMoments",
    "GaussianModes",
    "InceptionScore",
    "L1Error",
    "Moments",
    "active_units",
    "auroc",
    "beta_vae_score",
    "bits_per_dimension",
    "border_mean",
    "cluster_purity",
    "color_statistics",
    "cycle_error",
    "dci_scores",
    "domain_classifier",
    "elbo_terms",
    "factor_vae_score",
    "frechet_distance",
    "frechet_infinity",
    "gaussian_modes",
    "generation_report",
    "grid_centers",
    "hole_psnr",
    "importance_weighted_nll",
    "inception_score",
    "inception_v3",
    "keras_extractor",
    "kernel_distance",
    "kmeans_report",
    "knn_accuracy",
    "l1_error",
    "label_modes",
    "linear_probe",
    "luma_ssim",
    "memorization",
    "modularity_score",
    "moments",
    "mutual_information_gap",
    "nearest_neighbors",
    "perceptual_path_length",
    "prdc",
    "psnr",
    "resize_images",
    "retrieval_curve",
    "retrieval_precision",
    "ring_centers",
    "sap_score",
    "squared_error",
    "ssim",
    "stacked_modes",
    "train_classifier",
    "train_domain_classifier",
    "trained_extractor",
    "transfer_report",
    "translation_report",
]
