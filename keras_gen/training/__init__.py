"""The training core: the update step, randomness, distribution, resume, averages, histories."""

from keras_gen.training import schedules
from keras_gen.training.averaging import averaged_weights, forget_start, take_weights
from keras_gen.training.capabilities import capability, sample
from keras_gen.training.checks import require, require_inputs, require_logits
from keras_gen.training.distribution import STRATEGIES, is_chief, make_strategy
from keras_gen.training.image_pool import ImagePool
from keras_gen.training.minimize import (
    apply_gradients,
    gradients,
    joint_gradients,
    minimize,
    stateless,
)
from keras_gen.training.model import GenerativeModel, Player, require_built, training_step
from keras_gen.training.noise import stateless_seed
from keras_gen.training.optimizers import JoiningAdam
from keras_gen.training.refusals import NonFiniteLossError
from keras_gen.training.replicas import (
    batch_mean,
    global_batch,
    global_mean,
    global_sum,
    parts,
    replace_weights,
    replica_part,
)
from keras_gen.training.sampling_weights import SamplingWeights, distribute_fresh
from keras_gen.training.schedules import ConstantThenLinear, Schedule
from keras_gen.training.state import CheckpointError, TrainingState
