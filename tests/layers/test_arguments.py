"""Calls of layers that are refused, and what the sentence says."""

import keras
import pytest
import tensorflow as tf

from keras_gen.layers import (
    ActNorm,
    AdaptiveGroupNormalization,
    AffineCoupling,
    CausalAttention,
    Chain,
    ChannelwiseDense,
    DiagonalLSTM,
    Dropout,
    Factored,
    GatedUnit,
    InstanceNormalization,
    InvertibleConvolution,
    LearnedPositions,
    Logit,
    MaskedConvolution,
    MinibatchDiscrimination,
    MinibatchStddev,
    OneHot,
    PixelNormalization,
    PixelShuffle,
    RowLSTM,
    SelfAttention,
    SpectralNormalization,
    Squeeze,
    VectorQuantizer,
    VerticalConvolution,
)
from keras_gen.layers.differentiable_augmentations import augment


def two_heads(shape):
    """A network whose two outputs have the shape of its input."""
    x = keras.Input(shape)
    return keras.Model(x, [keras.layers.Activation("linear")(x) for _ in range(2)])


def coupled(mask, shape, built=None):
    return AffineCoupling(two_heads(shape), mask).build((None, *(built or shape)))


REFUSED = [
    *((lambda layer=layer: layer(epsilon=-1.0), "epsilon is -1: expected")
      for layer in (InstanceNormalization, MinibatchStddev, PixelNormalization)),
    (lambda: VerticalConvolution(4, 4), "kernel_size is 4: expected an odd num"),
    (lambda: VerticalConvolution(4, 1), "kernel_size is 1: expected at least 3"),
    (lambda: CausalAttention(4)(tf.zeros([1, 5, 6])), "divisible by heads=4"),
    (lambda: LearnedPositions(4)(tf.zeros([1, 5, 6])), "a known number of time steps, at most 4"),
    (lambda: LearnedPositions(1)(keras.Input((None, 6))),
     "a known number of time steps, at most 1"),
    (lambda: LearnedPositions(4)(tf.zeros([5])), "expected .batch, time, channels."),
    (lambda: RowLSTM(4, 2), "kernel_size is 2: expected an odd number"),
    (lambda: DiagonalLSTM(2, image_channels=3), "units is 2 for 3 image channels"),
    (lambda: MaskedConvolution(4, 4, "A"), "kernel_size is 4: expected odd"),
    (lambda: MaskedConvolution(4, (3, 2), "A"), r"kernel_size is \(3, 2\)"),
    (lambda: MaskedConvolution(4, 3, "C"), "mask is 'C'"),
    (lambda: MaskedConvolution(4, 1, "A"), r"kernel_size is \(1, 1\), but mask A hides"),
    (lambda: MaskedConvolution(2, 3, "A", 3), "2 maps cannot be divided into 3 groups"),
    (lambda: MaskedConvolution(6, 3, "A", 3).build((None, 4, 4, 1)),
     "1 maps cannot be divided into 3 groups"),
    (lambda: AdaptiveGroupNormalization(4).build([(None, 2, 2, 6), (None, 3)]),
     r"got input of shape \(None, 2, 2, 6\): expected feature maps with a number of channels"),
    (lambda: coupled("channels", (4, 4, 1)), "cannot divide into two halves"),
    (lambda: coupled("checkerboard", (1, 1, 4)), "cannot divide into two halves"),
    (lambda: coupled("checkerboard", (None, 4, 2)), "expected known sizes"),
    (lambda: coupled("half", (2,)), "mask is 'half'"),
    (lambda: coupled("channels", (3,), (2,)),
     r"outputs of shapes \[3, 3\]: expected two outputs, channels of scale .* each of shape 2"),
    (lambda: Factored(ActNorm()).build((None, None, 4)), "flat=False accepts any sizes"),
    (lambda: Factored(ActNorm(), leaving=4).build((None, 3, 4)),
     "expected more than 4 channels, the number of channels that are"),
    (lambda: Factored(Squeeze(), flat=False).build((None, 4, 2)), r"\(4, 1\) to \(2, 2\)"),
    (lambda: Factored(Squeeze()).build((1, 4, 4, 1)), "with 2 or more channels"),
    (lambda: Factored(Squeeze(), two_heads((2, 2, 1))).build((1, 4, 4, 2)),
     r"each of shape \(4, 4, 1\)"),
    (lambda: Factored(keras.layers.ReLU()), "rest is <ReLU .*: expected an InvertibleLayer"),
    (lambda: Squeeze().build((1, 3, 4, 1)), "multiples of 2"),
    (lambda: Squeeze().build((1, 4)), "multiples of 2"),
    (lambda: Squeeze().build((1, 5, 2)), "sides or length are multiples of 2"),
    (lambda: InvertibleConvolution().build((1, None)), "a known number of channels"),
    (lambda: ActNorm().build((1, None)), "a known number of channels"),
    (lambda: Chain([]), "A Chain got no layers"),
    (lambda: Chain([keras.layers.ReLU()]), "is <ReLU .*: expected an InvertibleLayer"),
    *((lambda alpha=alpha: Logit(alpha), "number between 0 and 1/2|expected a finite number")
      for alpha in (0.0, 0.5, -0.1, float("nan"))),
    (lambda: ChannelwiseDense().build((2, 3)), "with known height, width, and channels"),
    (lambda: ChannelwiseDense().build((None, None, 4, 3)),
     "with known height, width, and channels"),
    (lambda: augment(tf.zeros([2, 8, 8, 3]), "color", None), "augmentation is .*: expected a list"),
    (lambda: augment(tf.zeros([2, 3]), ["color"], None), r"shape \(2, 3\): expected images"),
    (lambda: PixelShuffle(2)(tf.zeros([1, 2, 2, 6])),
     "expected a number of channels that is a multiple of 4"),
    (lambda: Dropout(-0.1), "rate is -0.1"),
    (lambda: Dropout(1.0), "rate is 1.0"),
    (lambda: GatedUnit(2)(tf.zeros([1, 6])),
     r"got input of shape \(1, 6\): expected a multiple of 4"),
    (lambda: InstanceNormalization()(tf.ones([2, 3])),
     r"expected \[batch, height, width, channels\]"),
    (lambda: MinibatchStddev(4)(tf.ones([6, 2])), "batch of 6 examples cannot .* groups of 4: "),
    (lambda: MinibatchDiscrimination().build((None, 4, 4, 2)),
     r"known width \(flatten feature maps first\)"),
    (lambda: MinibatchDiscrimination().build((None, None)),
     r"of known width \(flatten feature maps first\)"),
    (lambda: OneHot(1), "levels is 1, and padding is None"),
    (lambda: OneHot(3, padding=3), "levels is 3, and padding is 3"),
    (lambda: OneHot(3)(tf.zeros([2, 4])), r"shape \(2, 4\): expected \[batch, ..., 1\]"),
    *((lambda shape=shape: SelfAttention().build((None, *shape)),
       r"expected \[batch, height, width, channels\] with even")
      for shape in ((4, 5, 16), (4, 4, 7), (None, 4, 16), (4, 16))),
    (lambda: SpectralNormalization(keras.layers.Flatten())(tf.ones([1, 2, 2])),
     r"\(Flatten\) has no kernel to normalize: wrap a dense"),
    (lambda: VectorQuantizer(2, 2, decay=1.0),
     "decay is 1.0: expected a number above 0 and below 1"),
    (lambda: VectorQuantizer(5, 2)(tf.ones([4, 3])),
     r"Latents have shape \(4, 3\): expected a last axis of size 2"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_refused(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()
