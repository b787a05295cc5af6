"""Invertible maps from data to normal latents, with exact likelihoods."""

from keras_gen.flows.conditional_flow import ConditionalFlow
from keras_gen.flows.flow import Flow
from keras_gen.flows.waveglow import WaveGlow
