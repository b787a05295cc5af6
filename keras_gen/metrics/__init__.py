"""Metrics, which are reported but never optimized.

Functions that check their arguments raise a ValueError for shapes and values that the docstring
does not allow, and a TypeError or a ValueError for dtypes that it does not allow.
"""

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
from keras_gen.metrics.evaluation_networks.labelers import (
    pixel_accuracy,
    train_classifier,
    train_point_reader,
    train_segmenter,
)
from keras_gen.metrics.image_pairs import (
    enlargement_report,
    hole_psnr,
    l1_error,
    ms_ssim,
    psnr,
    squared_error,
    ssim,
)
from keras_gen.metrics.likelihood import (
    active_units,
    best_parzen_std,
    bits_per_dimension,
    bits_per_live_value,
    importance_weighted_nll,
    latent_grid,
    nll_summary,
    parzen_log_likelihood,
)
from keras_gen.metrics.mean_and_deviation import mean_and_deviation
from keras_gen.metrics.representations.attributes import (
    attribute_leak,
    decision_gaps,
    group_report,
)
from keras_gen.metrics.representations.code_usage import code_bits, code_uses, perplexity
from keras_gen.metrics.representations.disentanglement import (
    beta_vae_score,
    dci_scores,
    factor_vae_score,
    mutual_information_gap,
    sap_score,
)
from keras_gen.metrics.representations.neighborhoods import (
    kmeans_report,
    matched_accuracy,
    retrieval_curve,
)
from keras_gen.metrics.representations.probes import (
    fine_tuned_error,
    linear_probe,
    transfer_report,
)
from keras_gen.metrics.samples.artifacts import (
    border_change,
    chroma_grain,
    gradient_histograms,
    lower_edge_ink,
    mesh,
)
from keras_gen.metrics.samples.feature_distances import (
    Moments,
    frechet_distance,
    inception_score,
    kernel_distance,
    moments,
)
from keras_gen.metrics.samples.generation import (
    GenerationEvaluation,
    generation_report,
    sample_report,
)
from keras_gen.metrics.samples.modes import (
    bin_shares,
    class_report,
    gaussian_modes,
    grid_centers,
    label_modes,
    ring_centers,
    stacked_modes,
)
from keras_gen.metrics.samples.motion import motion_distances, motion_statistics
from keras_gen.metrics.samples.neighbors import memorization, nearest_neighbors, prdc
from keras_gen.metrics.samples.path_length import perceptual_path_length
from keras_gen.metrics.samples.translation import TranslationEvaluation
from keras_gen.metrics.samples.wasserstein import (
    critic_distances,
    earth_movers_distance,
    mean_patch_distance,
    pyramid_distances,
)
from keras_gen.metrics.sounds import (
    SpeechProbes,
    conversion_report,
    log_spectral_distance,
    signal_to_noise,
    vocoding_report,
)
from keras_gen.metrics.tables import (
    closest_rows,
    detection_auc,
    table_fidelity,
    usefulness,
)
from keras_gen.metrics.update_field import (
    trajectory,
    update_field,
    update_jacobian,
)
