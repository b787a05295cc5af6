"""WaveNet (van den Oord et al. 2016)."""

from functools import partial
from typing import Annotated

import keras
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.autoregressive.causal_model import CausalModel
from keras_gen.core.kinds_of_data import MuLaw
from keras_gen.declared import Count
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
        seed: Seed of the order in which `fit` takes the examples of a `Source`.

    Raises:
        ValueError: See `CausalModel`, and if the network is not of sound of one channel, or of
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

    levels: Annotated[int, partial(checked_size, minimum=2)]
    samples: Count = 8000

    @override
    def noise_shape(self):
        return [self.samples, 1, self.likelihood.uniforms_per_value]

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        self.likelihood = Categorical(self.levels)
        super().set_up()
        length, *channels = self.network.inputs[0].shape[1:]
        if channels != [1]:
            raise ValueError(
                f"The network takes values of shape {(length, *channels)}: expected sound of one "
                "channel, (samples, 1)."
            )
        if length not in (None, self.samples):
            raise ValueError(
                f"The network takes {length} samples, and samples is {self.samples}: expected the "
                "same, or a network of any length."
            )
        self.edges["x"] = MuLaw(length, self.levels)
