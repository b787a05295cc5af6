"""WaveGlow: a flow for sound, given its mel spectrogram (Prenger, Valle, Catanzaro 2019)."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.layers import GatedUnit
from keras_gen.layers.flows import (
    ActNorm,
    AffineCoupling,
    Chain,
    Factored,
    InvertibleConvolution,
    Squeeze,
)
from keras_gen.networks.blocks import halves

MEL_RANGE = 4.0  # divisor of log mel magnitudes, which range from -11.5 to about 4


@checked_arguments
def waveglow(
    bands: int = 80,
    groups: int = 8,
    steps: int = 12,
    early_every: int = 4,
    early: int = 2,
    filters: int = 512,
    blocks: CountFrom0 = 8,
    seed: int = 0,
) -> Chain:
    """Builds the flow of WaveGlow for sounds of any length, given their mel spectrograms.

    Prenger, Valle, Catanzaro: "WaveGlow: A Flow-based Generative Network for Speech Synthesis",
    ICASSP 2019, sec. 2. Every `groups` neighboring samples become the channels of one position.
    Each of the following steps consists of an invertible 1x1 convolution and an affine coupling.
    After every few steps, some of the channels are output as latents. A coupling network resembles
    WaveNet, with blocks of growing dilation and gates conditioned on the mel spectrogram, but its
    convolutions with 3 taps are not causal.

    Deviations: activation normalization, as in Glow, precedes each step, because sounds have small
    amplitudes; log scales are a learned factor times a tanh (see `AffineCoupling`); there is no
    weight normalization. The layers that sum the blocks and return the scale and the shift are
    linear, so they are combined into one layer.

    Args:
        bands: Number of bands in the mel spectrogram.
        groups: Even number of neighboring samples that become channels.
        steps: Number of flow steps, at least 1.
        early_every: Number of steps after which channels are output, except after the last step.
        early: Number of channels that are output at a time.
        filters: Number of channels between the blocks of a coupling network.
        blocks: Number of blocks in a coupling network. The dilations of the blocks are 1, 2, 4, and
            so on.
        seed: Seed for the first rotation.

    Returns:
        A built `Chain` that maps float32 `[batch, samples, 1]`, with the condition `[batch, samples
        / groups, bands]`, to latents `[batch, samples / groups, groups]`.

    Raises:
        ValueError: If there are no steps or blocks, or if fewer than 2 channels would remain.

    Example:
        >>> flow = waveglow(bands=4, groups=4, steps=2, filters=4, blocks=1)
        >>> sounds = keras.random.normal([2, 16, 1])
        >>> latents, log_det, _ = flow(sounds, condition=keras.random.normal([2, 4, 4]))
    """
    stay = groups - early * ((steps - 1) // early_every)
    if stay < 2:
        raise ValueError(
            f"WaveGlow got {steps} steps, {blocks} blocks, and {groups} samples per group, of "
            f"which {stay} remain in the last step: expected at least 2 remaining samples per "
            "group."
        )
    network = dict(bands=bands, filters=filters, blocks=blocks)
    found = _steps(groups, steps, early_every, early, seed, **network)
    flow = Chain([Squeeze(groups), *found], name="waveglow")
    flow.build((None, None, 1))
    return flow


def _steps(channels, steps, early_every, early, seed, **network) -> list:
    """Builds all steps; the steps after a split are nested inside the layer that splits."""
    found: list = []
    for step in range(min(early_every, steps)):
        found.append(ActNorm())
        found.append(InvertibleConvolution(seed=seed + step))
        found.append(AffineCoupling(_wave_network(channels, **network)))
    if steps > early_every:
        others = (channels - early, steps - early_every, early_every, early, seed + early_every)
        rest = Chain(_steps(*others, **network))
        found.append(Factored(rest, leaving=early, flat=False))
    return found


def _wave_network(channels, bands, filters, blocks) -> keras.Model:
    """Builds a network for the scale and shift of the last half of channels, initially zero."""
    stays = channels // 2
    passive = keras.Input((None, stays))
    condition = keras.Input((None, bands))
    mel = layers.Rescaling(1 / MEL_RANGE, offset=1.0)(condition)
    mel = layers.Dense(2 * filters * blocks)(mel)
    of_blocks = keras.ops.split(mel, blocks, axis=-1)
    x = layers.Conv1D(filters, 1)(passive)
    gated: list = []
    for number, bias in enumerate(of_blocks):
        if number:
            x = layers.Add()([x, layers.Conv1D(filters, 1)(gated[-1])])
        both = layers.Conv1D(2 * filters, 3, dilation_rate=2**number, padding="same")(x)
        gated.append(GatedUnit()(layers.Add()([both, bias])))
    skips = layers.Concatenate()(gated) if len(gated) > 1 else gated[0]
    # The outputs are float32, regardless of the internal precision.
    last = layers.Conv1D(2 * (channels - stays), 1, kernel_initializer="zeros", dtype="float32")
    return keras.Model([passive, condition], halves(last(skips)))
