"""Models that transform noise into data along a path: diffusion and flow matching."""

from keras_gen.diffusion.conditional_ddpm import ConditionalDDPM
from keras_gen.diffusion.ddpm import DDPM
from keras_gen.diffusion.edm import EDM
from keras_gen.diffusion.flow_matching import FlowMatching
from keras_gen.diffusion.latent_diffusion import LatentDiffusion
from keras_gen.diffusion.paths import (
    AnnealedPath,
    CosinePath,
    KarrasPath,
    LinearPath,
    Path,
    StraightPath,
)
from keras_gen.diffusion.reflow import Reflow
from keras_gen.diffusion.solvers import DDIM, Ancestral, DPMSolver, Euler, Heun, Langevin, Solver
