"""Where the players of a game move: the field of a model's updates, and what it does near rest."""

from keras_gen.metrics.games.updates import trajectory, update_field, update_jacobian

__all__ = [
    "trajectory",
    "update_field",
    "update_jacobian",
]
