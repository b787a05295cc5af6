"""Speaker-conditional WaveNet (van den Oord et al. 2016)."""

from functools import partial
from typing import Annotated

import keras
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.autoregressive.wavenet import WaveNet
from keras_gen.core import require_classes
from keras_gen.core.kinds_of_data import label_edges
from keras_gen.declared import Count, argument, network


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalWaveNet(WaveNet):
    """A WaveNet conditioned on the speaker.

    Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016, sec. 2.5, eq. (3): all
    audio samples are conditioned on the speaker in the same way. `fit(waveforms, speakers)` accepts
    integer speakers.

    Args:
        network: Network that maps levels `[batch, time, 1]` and int32 speakers `[batch]` to logits;
            see `WaveNet`.
        speakers: Number of speakers.
        levels: Number of mu-law levels; see `WaveNet`.
        samples: Length of sampled sounds; see `WaveNet`.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: See `WaveNet`.

    Example:
    ```python
    from keras_gen.networks import wavenet
    network = wavenet(filters=4, skip_filters=8, dilations=(1, 2, 4), classes=5)
    model = ConditionalWaveNet(network, speakers=5, levels=256, samples=100)
    model.compile()
    recordings = np.random.default_rng(0).integers(-9, 9, (4, 50, 1)).astype("int16")
    model.fit(recordings, np.array([0, 1, 2, 4]), batch_size=2)
    sounds = model.sample(2, seed=1, speaker=3)
    nats = -model.log_prob(recordings, 3)
    ```
    """

    batch = ("x", "speakers")
    given = ("speakers",)

    network: keras.Model = network("x speakers -> parameters")
    speakers: Count = argument(kw_only=True)
    levels: Annotated[int, partial(checked_size, minimum=2)] = argument(kw_only=True, later=True)

    @override
    def set_up(self):
        super().set_up()
        require_classes(self.speakers, self.network)
        self.edges |= label_edges(self.speakers, "speakers")
