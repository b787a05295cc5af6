"""Foundations of all models: updates, data types, randomness, distribution, and resuming."""

from keras_gen.core import schedules
from keras_gen.core.capabilities import capability, for_users, sample
from keras_gen.core.compilation import Player
from keras_gen.core.distribution import (
    STRATEGIES,
    batch_mean,
    global_batch,
    global_mean,
    global_sum,
    is_chief,
    make_strategy,
    parts,
    replace_weights,
    replica_part,
)
from keras_gen.core.image_pool import ImagePool
from keras_gen.core.likelihood_model import SCORE_SAMPLES, LikelihoodModel, log_prob
from keras_gen.core.minimize import (
    NonFiniteLossError,
    apply_gradients,
    gradients,
    joint_gradients,
    minimize,
    stateless,
)
from keras_gen.core.model import GenerativeModel
from keras_gen.core.network_checks import (
    require_built,
    require_classes,
    require_latents,
    require_logits,
    require_range,
    require_takes,
)
from keras_gen.core.noise import stateless_seed
from keras_gen.core.optimizers import averaged_weights, forget_start, keep_averages, take_weights
from keras_gen.core.schedules import ConstantThenLinear, Schedule
from keras_gen.core.step import training_step
from keras_gen.core.training_state import CheckpointError, TrainingState
from keras_gen.tensor_checks import require
