"""Models of an energy, which is a log density up to sign and an unknown constant."""

from keras_gen.energy_based.ebm import EBM
