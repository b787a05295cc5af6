"""Metrics that are reported and never optimized.

Where arguments are checked, other shapes or ranges than described raise a ValueError, and other
dtypes a TypeError or ValueError.
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
from keras_gen.metrics.evaluation_networks.image_classifier import train_classifier
from keras_gen.metrics.evaluation_networks.points import train_point_reader
from keras_gen.metrics.evaluation_networks.segmenter import pixel_accuracy, train_segmenter
from keras_gen.metrics.game_dynamics.update_field import (
    trajectory,
    update_field,
    update_jacobian,
)
from keras_gen.metrics.image_pairs.enlargement_quality import enlargement_report
from keras_gen.metrics.image_pairs.image_quality import l1_error, ms_ssim, psnr, ssim
from keras_gen.metrics.image_pairs.inpainting import hole_psnr
from keras_gen.metrics.image_pairs.squared_error import squared_error
from keras_gen.metrics.likelihood.active_units import active_units
from keras_gen.metrics.likelihood.bits_per_dimension import bits_per_dimension
from keras_gen.metrics.likelihood.bits_per_live_value import bits_per_live_value
from keras_gen.metrics.likelihood.latent_grid import latent_grid
from keras_gen.metrics.likelihood.nll import importance_weighted_nll, nll_summary
from keras_gen.metrics.mean_and_deviation import mean_and_deviation
from keras_gen.metrics.representations.attribute_leaks import attribute_leak, decision_gaps
from keras_gen.metrics.representations.clusters import kmeans_report, matched_accuracy
from keras_gen.metrics.representations.code_usage import code_bits, code_uses, perplexity
from keras_gen.metrics.representations.disentanglement.dci import dci_scores
from keras_gen.metrics.representations.disentanglement.information_gap import (
    mutual_information_gap,
)
from keras_gen.metrics.representations.disentanglement.interventions import (
    beta_vae_score,
    factor_vae_score,
)
from keras_gen.metrics.representations.disentanglement.sap import sap_score
from keras_gen.metrics.representations.fine_tuning import fine_tuned_error
from keras_gen.metrics.representations.groups import group_report
from keras_gen.metrics.representations.probes import linear_probe
from keras_gen.metrics.representations.retrieval import retrieval_curve
from keras_gen.metrics.representations.transfer import transfer_report
from keras_gen.metrics.samples.artifacts import border_change, chroma_grain, lower_edge_ink, mesh
from keras_gen.metrics.samples.bins import bin_shares
from keras_gen.metrics.samples.classes import class_report
from keras_gen.metrics.samples.earth_mover import critic_distances, earth_movers_distance
from keras_gen.metrics.samples.frechet import Moments, frechet_distance, moments
from keras_gen.metrics.samples.generation import (
    GenerationEvaluation,
    generation_report,
    sample_report,
)
from keras_gen.metrics.samples.gradient_histograms import gradient_histograms
from keras_gen.metrics.samples.inception_score import inception_score
from keras_gen.metrics.samples.kernel_distance import kernel_distance
from keras_gen.metrics.samples.memorization import memorization
from keras_gen.metrics.samples.modes import (
    gaussian_modes,
    grid_centers,
    label_modes,
    ring_centers,
    stacked_modes,
)
from keras_gen.metrics.samples.motion import motion_distances, motion_statistics
from keras_gen.metrics.samples.neighbors import nearest_neighbors
from keras_gen.metrics.samples.parzen import best_parzen_std, parzen_log_likelihood
from keras_gen.metrics.samples.path_length import perceptual_path_length
from keras_gen.metrics.samples.prdc import prdc
from keras_gen.metrics.samples.sliced_wasserstein import mean_patch_distance, pyramid_distances
from keras_gen.metrics.samples.translation import TranslationEvaluation
from keras_gen.metrics.sounds.conversion import conversion_report
from keras_gen.metrics.sounds.distances import log_spectral_distance, signal_to_noise
from keras_gen.metrics.sounds.speech_probes import SpeechProbes
from keras_gen.metrics.sounds.vocoding import vocoding_report
