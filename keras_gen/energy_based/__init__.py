"""Models that learn an energy, the negative log density up to an unknown constant."""

from keras_gen.energy_based.ebm import EBM
