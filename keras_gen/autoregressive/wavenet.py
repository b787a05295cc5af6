"""WaveNet (van den Oord et al. 2016)."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import keras
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.autoregressive.causal_model import CausalModel
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core.kinds_of_data import MuLaw
from keras_gen.declared import Count
from keras_gen.losses import Categorical
from keras_gen.networks import wavenet


@keras.saving.register_keras_serializable("keras_gen")
class WaveNet(CausalModel):
    """An autoregressive audio model that predicts each audio sample from earlier samples.

    Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016, eq. (1), with a softmax
    over mu-law levels (sec. 2.2). The loss is the exact negative log-likelihood of the levels in
    nats, and zeros before and after a recording are ignored (`keras_gen.core.kinds_of_data.MuLaw`).
    The computation time per audio sample does not grow with the length of the sound.

    Deviations: see the network, `keras_gen.networks.wavenet`.

    Args:
        network: Network that maps levels `[batch, time, 1]`, with -1 for padding, to logits
            `[batch, time, levels]`. The logits of a sample depend only on earlier samples.
        levels: Number of mu-law levels, an even number from 2 to 512; 256 in the paper.
        samples: Number of audio samples in a generated sound, at least 1. If the network has a
            fixed length, `samples` must equal that length.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the network is not for mono sounds, or if it has a fixed length other than
            `samples`; see also `CausalModel`.

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

    # With this number of audio samples, the skip connections of 30 blocks require 0.7 GiB.
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
                f"The network accepts values of shape {(length, *channels)}: expected mono "
                "sound, (samples, 1)."
            )
        if length not in (None, self.samples):
            raise ValueError(
                f"The network accepts {length} samples, but samples is {self.samples}: expected a "
                f"network that accepts {self.samples} samples or any length."
            )
        self.edges["x"] = MuLaw(length, self.levels)

    @classmethod
    @checked_arguments
    def for_sounds(
        cls,
        samples: int,
        filters: int = 32,
        skip_filters: int = 64,
        dilations: Sequence[int] = 2 * (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
        levels: int = 256,
        **kwargs,
    ):
        """Builds the model for mono sounds, with the network `keras_gen.networks.wavenet`.

        Args:
            samples: Number of audio samples in a generated sound. `fit` accepts sounds of any
                length.
            filters: Number of channels passed between the blocks.
            skip_filters: Number of channels in the sum over the blocks.
            dilations: Dilations of the blocks. Each sample depends on the preceding
                `keras_gen.networks.receptive_field(dilations)` samples.
            levels: Number of mu-law levels.
            **kwargs: Additional arguments for the class.

        Example: `WaveNet.for_sounds(8000)`.
        """
        classes = kwargs.get("speakers") or 0
        network = wavenet(
            None, levels, filters, skip_filters, dilations, levels=levels, classes=classes
        )
        return cls(network, levels=levels, samples=samples, **kwargs)
