"""What codes are good for."""

from keras_gen.metrics.representations.clusters import (
    cluster_purity,
    kmeans_report,
    matched_accuracy,
)
from keras_gen.metrics.representations.code_usage import code_bits, code_uses, perplexity
from keras_gen.metrics.representations.detection import auroc
from keras_gen.metrics.representations.disentanglement import (
    beta_vae_score,
    dci_scores,
    factor_vae_score,
    modularity_score,
    mutual_information_gap,
    sap_score,
)
from keras_gen.metrics.representations.fine_tuning import fine_tuned_error
from keras_gen.metrics.representations.groups import group_report
from keras_gen.metrics.representations.probes import knn_accuracy, linear_probe
from keras_gen.metrics.representations.retrieval import retrieval_curve, retrieval_precision
from keras_gen.metrics.representations.transfer import transfer_report

__all__ = [
    "auroc",
    "beta_vae_score",
    "cluster_purity",
    "code_bits",
    "code_uses",
    "dci_scores",
    "factor_vae_score",
    "fine_tuned_error",
    "group_report",
    "kmeans_report",
    "knn_accuracy",
    "linear_probe",
    "matched_accuracy",
    "modularity_score",
    "mutual_information_gap",
    "perplexity",
    "retrieval_curve",
    "retrieval_precision",
    "sap_score",
    "transfer_report",
]
