"""The training core: the update step, randomness, distribution, resume, averages, histories."""

from keras_gen.training.averaging import averaged_weights
from keras_gen.training.checks import require
from keras_gen.training.distribution import STRATEGIES, is_chief, make_strategy
from keras_gen.training.image_pool import ImagePool
from keras_gen.training.minimize import batch_mean, global_mean, minimize
from keras_gen.training.model import GenerativeModel, NonFiniteLossError, require_built
from keras_gen.training.noise import stateless_seed
from keras_gen.training.schedules import ConstantThenLinear
from keras_gen.training.state import CheckpointError, TrainingState

__all__ = [
    "STRATEGIES",
    "CheckpointError",
    "ConstantThenLinear",
    "GenerativeModel",
    "ImagePool",
    "NonFiniteLossError",
    "TrainingState",
    "averaged_weights",
    "batch_mean",
    "global_mean",
    "is_chief",
    "make_strategy",
    "minimize",
    "require",
    "require_built",
    "stateless_seed",
]
