"""Learning-rate schedules that Keras does not have."""

import keras


@keras.saving.register_keras_serializable("keras_gen")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Constant for a while, then linear to zero, as CycleGAN trains (Zhu et al. 2017, sec. 4).

    Args:
        learning_rate: The constant rate.
        constant_steps: Steps at the constant rate.
        decay_steps: Steps from there to zero.

    Raises:
        ValueError: If the rate or a number of steps is negative.

    Example:
    ```python
    schedule = ConstantThenLinear(2e-4, constant_steps=100 * 1072, decay_steps=100 * 1072)
    optimizer = keras.optimizers.Adam(schedule, beta_1=0.5)
    ```
    """

    def __init__(self, learning_rate: float, constant_steps: int, decay_steps: int):
        if learning_rate < 0 or constant_steps < 0 or decay_steps < 1:
            raise ValueError(
                f"learning_rate={learning_rate}, constant_steps={constant_steps}, "
                f"decay_steps={decay_steps}: none may be negative, and decay_steps at least 1."
            )
        self.learning_rate = learning_rate
        self.constant_steps = constant_steps
        self.decay_steps = decay_steps

    @classmethod
    def in_halves(cls, learning_rate: float, steps: int):
        """The schedule of a training of so many steps: half of them constant, half to zero."""
        return cls(learning_rate, steps // 2, steps - steps // 2)

    def __call__(self, step):
        """Returns the float32 rate of an optimizer's iteration `step`."""
        # float32 holds every step number up to 16.7 million exactly.
        past = keras.ops.cast(step, "float32") - self.constant_steps
        share = keras.ops.clip(1.0 - past / self.decay_steps, 0.0, 1.0)
        return self.learning_rate * share

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {
            "learning_rate": self.learning_rate,
            "constant_steps": self.constant_steps,
            "decay_steps": self.decay_steps,
        }
