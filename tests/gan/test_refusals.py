"""Networks that fit neither each other nor other arguments are refused in one sentence."""

import math

import keras
import pytest

from keras_gen import gan
from keras_gen.losses import R1
from keras_gen.networks import with_labels


def dense(takes, gives, *before):
    """A linear network with inputs and outputs of these shapes."""
    inputs = [keras.Input(shape) for shape in takes]
    flat = [keras.layers.Flatten()(each) for each in inputs]
    x = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    for layer in before:
        x = layer(x)
    heads = [keras.layers.Dense(math.prod(shape))(x) for shape in gives]
    outputs = [keras.layers.Reshape(shape)(h) for shape, h in zip(gives, heads, strict=True)]
    return keras.Model(inputs, outputs)


def generator(*outputs, also=()):
    return dense([(2,), *also], outputs or [(3,)])


def critic(*outputs, takes=(3,), also=(), before=()):
    return dense([takes, *also], outputs or [(1,)], *before)


def sure(network):
    """The network, with probabilities as its second output."""
    logits, classes = network.outputs
    return keras.Model(network.inputs, [logits, keras.layers.Softmax()(classes)])


MIXING = keras.layers.BatchNormalization
VIDEO, FRAME = (5, 2, 2, 1), (2, 2, 1)
# The class, its networks and other arguments, and a part of the sentence.
CASES = {
    "two inputs": lambda: (
        gan.GAN, [generator(), critic(also=[(1,)])], {},
        r"discriminator .* has 2 inputs: expected 1 \(x -> logits",
    ),
    "other examples": lambda: (
        gan.GAN, [generator(), critic(takes=(4,))], {},
        r"discriminator accepts x of shape \(4,\): expected \(3,\)",
    ),
    "latents that are maps": lambda: (
        gan.GAN, [dense([(2, 2)], [(3,)]), critic()], {},
        r"shape \(None, 2, 2\): expected latents",
    ),
    "latents of another number": lambda: (
        gan.GAN, [generator(), critic()], dict(latent_dim=8),
        r"latent_dim is 8, .* accepts latents of shape \(2,\)",
    ),
    "a mixed batch": lambda: (
        gan.GAN, [generator(), critic(before=[MIXING(name="mixing")])], dict(penalty=R1()),
        "'mixing'.*without batch normalization",
    ),
    "mixed frames": lambda: (
        gan.MoCoGAN,
        [generator(VIDEO), critic(takes=VIDEO), critic(takes=FRAME, before=[MIXING()])],
        dict(content_dim=1, penalty="r1"), "batch normalization",
    ),
    "no labels": lambda: (
        gan.ConditionalGAN, [with_labels(generator(), 1), critic()], dict(classes=1),
        r"discriminator .* has 1 input: expected 2 \(x label -> logits",
    ),
    "no classes": lambda: (
        gan.ACGAN, [with_labels(generator(), 1), critic()], dict(classes=1),
        r"has 1 output: expected 2 \(x -> logits class_logits",
    ),
    "other classes": lambda: (
        gan.ACGAN, [with_labels(generator(), 1), critic((1,), (2,))], dict(classes=1),
        r"second output has shape \(2,\): expected the logits of 1 classes",
    ),
    "probabilities of classes": lambda: (
        gan.ACGAN, [with_labels(generator(), 1), sure(critic((1,), (1,)))], dict(classes=1),
        "ends in a softmax, but the loss applies",
    ),
    "one domain": lambda: (
        gan.CoGAN, [generator(), critic()], {},
        r"returns \(3,\), .*: expected a generator that returns pairs",
    ),
    "logits of one domain": lambda: (
        gan.CoGAN, [generator((2, 3)), critic((2, 1), takes=(2, 3))], {},
        r"returns \[\(2, 1\)\]: expected a generator that returns pairs",
    ),
    "pairs without classes": lambda: (
        gan.CoGAN, [generator((2, 3)), critic((2,), takes=(2, 3))], dict(pair_weight=1.0),
        "pair_weight is 1.0, but the discriminator has no classes",
    ),
    "other codes": lambda: (
        gan.InfoGAN, [generator(also=[(7,)]), critic((1,), (7,))],
        dict(categories=(3, 2), continuous=1),
        r"accepts 7 codes, and .* has 7 numbers: expected 6 codes for categories=\(3, 2\)",
    ),
    "predictions of other codes": lambda: (
        gan.InfoGAN, [generator(also=[(6,)]), critic((1,), (8,))],
        dict(categories=(3, 2), continuous=1), "accepts 6 codes, and .* has 8 numbers: expected 6",
    ),
    "no category": lambda: (
        gan.InfoGAN, [generator(also=[(2,)]), critic((1,), (2,))],
        dict(categories=(), continuous=2), "categories is empty: expected",
    ),
    "other frames": lambda: (
        gan.MoCoGAN, [generator(VIDEO), critic(takes=VIDEO), critic(takes=(3, 2, 1))],
        dict(content_dim=1), r"accept \(5, 2, 2, 1\) and \(3, 2, 1\), and 1 of 2",
    ),
    "no motion": lambda: (
        gan.MoCoGAN, [generator(VIDEO), critic(takes=VIDEO), critic(takes=FRAME)],
        dict(content_dim=2), "and 2 of 2 latents are content latents: expected",
    ),
    "other packs": lambda: (
        gan.PacGAN, [generator(), critic(takes=(6,))], dict(pack=3),
        r"pack is 3, but the discriminator accepts \(6,\)",
    ),
    "other sizes": lambda: (
        gan.ProgressiveGAN,
        [generator((4,), (8,), also=[()]), critic((1,), takes=(8,), also=[()])], {},
        "generator has 2 outputs, but the discriminator has 1",
    ),
    "other styles": lambda: (
        gan.StyleGAN, [dense([(2,)], [(5,)]), dense([(3, 4), (6,)], [(3,)]), critic()], {},
        r"mapping returns styles of shape \(None, 5\), .* accepts styles of 4 numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_arguments_that_do_not_fit_each_other(case):
    cls, networks, options, sentence = CASES[case]()
    with pytest.raises(ValueError, match=sentence):
        cls(*networks, **options)


def test_players_that_step_at_once_take_no_further_steps():
    with pytest.raises((TypeError, ValueError), match="discriminator_steps"):
        gan.ConsensusGAN(generator(), critic(), discriminator_steps=2)
    with pytest.raises(ValueError, match=r"discriminator_steps is 1000000000: expected .*10000"):
        gan.GAN(generator(), critic(), discriminator_steps=10**9)
