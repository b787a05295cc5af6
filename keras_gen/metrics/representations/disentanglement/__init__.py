"""How far single codes stand for single factors of variation, by six published scores.

Four need only codes and factors of a sample; `beta_vae_score` and `factor_vae_score` hold factors
fixed and so need to encode combinations of their choice. All refuse codes that predict no factor
better than chance.
"""

from keras_gen.metrics.representations.disentanglement.dci import dci_scores
from keras_gen.metrics.representations.disentanglement.information import (
    modularity_score,
    mutual_information_gap,
)
from keras_gen.metrics.representations.disentanglement.interventions import (
    beta_vae_score,
    factor_vae_score,
)
from keras_gen.metrics.representations.disentanglement.sap import sap_score

__all__ = [
    "beta_vae_score",
    "dci_scores",
    "factor_vae_score",
    "modularity_score",
    "mutual_information_gap",
    "sap_score",
]
