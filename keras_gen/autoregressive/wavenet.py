"""WaveNet (van den Oord et al. 2016)."""

import keras
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.autoregressive.causal_model import CausalModel
from keras_gen.core.kinds_of_data import MuLaw
from keras_gen.losses import Categorical


@keras.saving.register_keras_serializable("keras_gen")
class WaveNet(CausalModel):
    """Sound as a product of conditionals: each sample given those before it.

    Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016, eq. (1), with a softmax
    over mu-law levels (sec. 2.2). The loss is the exact negative log-likelihood of the levels in
    nats, and zeros around a recording count nothing (`keras_gen.core.kinds_of_data.MuLaw`). Samples
    are drawn in a time that grows with their length alone.

    Deviations: those of the network, `keras_gen.networks.wavenet`.

    Args:
        network: Levels `[batch, time, 1]`, where -1 is padding, to logits `[batch, time, levels]`:
            those of a sample depend only on the samples before it.
        levels: Number of mu-law levels, 256 in the paper, an even one from 2 to 512.
        samples: Length of what `sample` draws, at least 1; that of the network if it has one.
        seed: Not used by this model.

    Raises:
        ValueError: As of `CausalModel`, and if the network is not of sound of one channel, or of
            another length.

    Example:
    ```python
    from keras_gen.networks import wavenet
    network = wavenet(filters=4, skip_filters=8, dilations=(1, 2, 4))
    model = WaveNet(network, levels=256, samples=100)
    model.compile()
    recordings = np.random.default_rng(0).integers(-9, 9, (4, 50, 1)).astype("int16")
    model.fit(recordings, batch_size=2)
    sounds = model.sample(2, seed=1, temperature=0.9)  # int16 [2, 100, 1]
    nats = -model.log_prob(recordings)
    ```
    """

    padded = True

    # The skip connections of 30 blocks: 0.7 GiB for so many samples of sound.
    most_elements = 2**17

    def __init__(
        self, network: keras.Model, levels: int, samples: int = 8000, seed: int = 0, **kwargs
    ):
        levels = checked_size("levels", levels, minimum=2)
        super().__init__(network, Categorical(levels), seed, **kwargs)
        shape = tuple(network.inputs[0].shape[1:])
        if len(shape) != 2 or shape[1] != 1:
            raise ValueError(
                f"The network takes values of shape {shape}: expected sound of one channel, "
                "(samples, 1)."
            )
        length = shape[0]
        if length not in (None, samples):
            raise ValueError(
                f"The network takes {length} samples, and samples is {samples}: expected the same, "
                "or a network of any length."
            )
        self.levels = levels
        self.samples = checked_size("samples", samples)
        self.edges["x"] = MuLaw(length, levels)

    @override
    def noise_shape(self):
        return [self.samples, 1, self.likelihood.uniforms_per_value]
