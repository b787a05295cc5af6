"""All networks compute in mixed precision inside, return float32, and pass gradients."""

import functools
import inspect
import itertools
from collections.abc import Sequence

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks, testing
from keras_gen.data import Column, table_columns
from keras_gen.networks.blocks import UPSAMPLING

TINY = {
    "big_gan_generator": dict(image_shape=(8, 8, 1), classes=3, latent_dim=4, filters=2),
    "big_gan_discriminator": dict(image_shape=(16, 16, 1), classes=3, filters=2),
    "biva_networks": dict(image_shape=(4, 4, 1), latent_dims=(2, 1), units=3),
    "conditional_vae_networks": dict(
        shape=(2, 2, 1), conditions=(2, 2, 1), latent_dim=2, hidden=(3,)
    ),
    "context_decoder": dict(image_shape=(8, 8, 3), filters=2),
    "context_encoder": dict(image_shape=(8, 8, 3), filters=2),
    "conv_decoder": dict(image_shape=(4, 4, 1), latent_dim=3, filters=(2,)),
    "conv_encoder": dict(image_shape=(4, 4, 1), latent_dim=3, filters=(2,)),
    "dcgan_discriminator": dict(image_shape=(16, 16, 1), filters=2),
    "dcgan_generator": dict(image_shape=(16, 16, 1), latent_dim=3, filters=2),
    "dcgan_without": dict(
        guideline="convolutions", image_shape=(16, 16, 1), latent_dim=3, filters=2, hidden=3
    ),
    "info_gan_networks": dict(image_shape=(8, 8, 1), filters=2, hidden=3),
    "ladder_networks": dict(image_shape=(4, 4, 1), latent_dims=(2, 1), hidden=(4, 3)),
    "lenet": dict(image_shape=(16, 16, 1), classes=3, filters=2, hidden=4),
    "made": dict(values=3, outputs_per_value=2, hidden=(4,)),
    "maxout_discriminator": dict(image_shape=(4, 4, 1), hidden=(3,)),
    "mlp_decoder": dict(image_shape=(2, 2, 1), latent_dim=3, hidden=(4,)),
    "mlp_encoder": dict(image_shape=(2, 2, 1), latent_dim=3, hidden=(4,)),
    "moco_gan_generator": dict(video_shape=(2, 8, 8, 1), content_dim=3, motion_dim=2, filters=2),
    "normalized_lenet": dict(image_shape=(8, 8, 1), classes=3, filters=2, hidden=4),
    "patch_discriminator": dict(image_shape=(32, 32, 3), filters=2),
    "pixel_cnn": dict(image_shape=(4, 4, 1), outputs_per_value=8, filters=2, blocks=1),
    "pixel_rnn": dict(image_shape=(4, 4, 1), outputs_per_value=8, units=2, blocks=1),
    "pixel_vae_decoder": dict(image_shape=(4, 4, 1), latent_dim=2, filters=2, decoder_filters=(2,)),
    "progressive_discriminator": dict(image_shape=(8, 8, 3), filters=2, width=16),
    "progressive_generator": dict(image_shape=(8, 8, 3), latent_dim=3, filters=2, width=16),
    "residual_decoder": dict(image_shape=(8, 8, 1), latent_dim=3, filters=2, codes_per_place=2),
    "residual_encoder": dict(image_shape=(8, 8, 1), latent_dim=3, filters=2, codes_per_place=2),
    "resnet_generator": dict(filters=2, blocks=1),
    "series_unet": dict(shape=(5, 2), widths=(4, 4), groups=2, classes=2),
    "style_discriminator": dict(image_shape=(8, 8, 3), filters=2, width=16),
    "style_generator": dict(image_shape=(8, 8, 3), style_dim=3, filters=2, width=16),
    "style_mapping": dict(latent_dim=3, style_dim=3, depth=1),
    "time_mlp": dict(shape=(3,), width=4, blocks=1),
    "time_unet": dict(shape=(4, 4, 1), widths=(4,), groups=2, classes=2),
    "video_discriminator": dict(video_shape=(4, 8, 8, 1), filters=2),
    "vq_vae_2_networks": dict(image_shape=(8, 8, 1), latent_dim=3, filters=2),
    "wave_decoder": dict(samples=64, latent_dim=3, filters=(2, 2)),
    "wave_encoder": dict(samples=64, latent_dim=3, filters=(2, 2)),
    "wavenet": dict(filters=2, skip_filters=3, dilations=(1, 2), levels=None, classes=2),
}
# Those whose precision is not the policy's, or whose layers have no weights.
OTHERS = {
    "conv_classifier": dict(channels=1, outputs=2, widths=(3, 2)),
    "linear_networks": dict(mean=np.zeros((2, 2, 1)), latent_dim=2),
    "m2_networks": dict(shape=(2, 2, 1), classes=3, latent_dim=2, hidden=(4,)),
    "mlp_networks": dict(image_shape=(2, 2, 1), latent_dim=3, hidden=(4,)),
    "one_layer_networks": dict(image_shape=(2, 2, 1), latent_dim=3),
}


def dense(inputs, outputs):
    return inputs * outputs + outputs


def conv(side, inputs, outputs, bias=True):
    return side * side * inputs * outputs + outputs * bias


def batch_norm(channels):
    return 4 * channels  # scale, offset, and two running moments


def chain(side, *channels, bias=True):
    """Parameters of convolutions from each of these channels to the next."""
    return sum(conv(side, a, b, bias) for a, b in itertools.pairwise(channels))


def pixel_stack(block, blocks=3, h=8, head=12):
    """A 7x7 convolution to 2h channels, the blocks, and a head of three 1x1 convolutions."""
    return conv(7, 1, 2 * h) + blocks * block + chain(1, 2 * h, head, head, 256)


def pixel_lstm(lstms, taps, states, h=8):
    """van den Oord et al. (2016), fig. 5: 2h to h channels by LSTMs, and back by 1x1."""
    return lstms * 4 * h * (taps * 2 * h + states * h + 1) + conv(1, h, 2 * h)


def resnet(blocks):
    """Zhu et al. (2017), app. 7.2: c7s1-64, d128, d256, R256 x blocks, u128, u64, c7s1-3."""
    ends = conv(7, 3, 64, False) + conv(7, 64, 3)
    middle = chain(3, 64, 128, *[256] * (2 * blocks + 1), 128, 64, bias=False)
    return ends + middle + 2 * (64 + 128 + 256 + blocks * 2 * 256 + 128 + 64)


BOTH = ("mean", "log_variance")
PIXELS = dict(image_shape=(28, 28, 1), outputs_per_value=256, blocks=3, head_filters=12)
RESIDUAL = dict(image_shape=(8, 8, 3), latent_dim=5, filters=6, residual_filters=4, blocks=2)
INNER = chain(4, 1024, 512, 256, 128, bias=False)  # DCGAN's, fig. 1
INFO_BODY = conv(4, 1, 64) + conv(4, 64, 128, False) + batch_norm(128)
INFO_BODY += 7 * 7 * 128 * 1024 + batch_norm(1024)
PATCH = chain(4, 64, 128, 256, 512, bias=False) + 2 * (128 + 256 + 512)
GROWN = [5, 5, 5, 2]  # channels at 4x4 to 32x32: at most 5, and 80 / 32
SIX_HALVINGS = dict(samples=640, latent_dim=3, filters=(2,) * 6)
# A network's function, arguments, shapes of all outputs, and parameters of each network as the
# papers give its layers.
TABLE = [
    # Burda et al. (2016): 784 - 200 - 200 - 50 and back.
    ("mlp_encoder", dict(heads=BOTH), [(50,), (50,)],
     [dense(784, 200) + dense(200, 200) + 2 * dense(200, 50)]),
    ("mlp_decoder", {}, [(28, 28, 1)], [dense(50, 200) + dense(200, 200) + dense(200, 784)]),
    ("mlp_networks", dict(image_shape=(4, 3, 1), latent_dim=(2, 5), hidden=(6,)),
     [(2, 5), (4, 3, 1)], [dense(12, 6) + dense(6, 10), dense(10, 6) + dense(6, 12)]),
    ("m2_networks", dict(shape=(4, 2, 1), classes=3, latent_dim=5, hidden=(6, 7),
                         params_per_value=2),
     [(5,), (5,), (4, 2, 2), (3,)],
     [dense(11, 6) + dense(6, 7) + 2 * dense(7, 5), dense(8, 6) + dense(6, 7) + dense(7, 16),
      dense(8, 6) + dense(6, 7) + dense(7, 3)]),
    ("conv_encoder", dict(image_shape=(32, 32, 3), latent_dim=128), [(128,)],
     [chain(3, 3, 32, 64) + dense(8 * 8 * 64, 128)]),
    *(
        ("conv_decoder", dict(image_shape=(32, 32, 3), latent_dim=128, upsampling=upsampling),
         [(32, 32, 3)], [dense(128, 8 * 8 * 64) + chain(3, 64, 32, 3)])
        for upsampling in UPSAMPLING
    ),
    ("conv_encoder", dict(image_shape=(8, 8, 3), latent_dim=4, filters=(2, 3), blocks=2),
     [(4,)], [chain(3, 3, *[2] * 5, *[3] * 5) + dense(12, 4)]),
    ("conv_decoder", dict(image_shape=(8, 12, 3), latent_dim=4, filters=(2, 3), blocks=1),
     [(8, 12, 3)], [dense(4, 18) + chain(3, 3, 3, 3, 2, 2, 2, 3)]),
    ("conv_classifier", dict(channels=3, outputs=7, widths=(4, 8), first_kernel=5),
     [(8,), (7,)], [conv(5, 3, 4, False) + conv(3, 4, 8, False) + batch_norm(12) + dense(8, 7)]),
    # Sønderby et al. (2016): latents 64, 32, ..., two layers of 512, 256, ... units.
    ("ladder_networks", dict(latent_dims=(64, 32), hidden=(512, 256)),
     [(512,), (64,), (64,), (32,), (32,), (28, 28, 1), (64,), (64,)],
     [dense(784, 512) + dense(512, 512) + 2 * dense(512, 64),
      dense(512, 256) + dense(256, 256) + 2 * dense(256, 32),
      dense(64, 512) + dense(512, 512) + dense(512, 784),
      dense(32, 256) + dense(256, 256) + 2 * dense(256, 64)]),
    # Two 4x4 convolutions, blocks of a 3x3 and a 1x1, and what leads to and from the latents.
    ("residual_encoder", {}, [(8, 8, 64)],
     [chain(4, 3, 256, 256) + 2 * (conv(3, 256, 256) + conv(1, 256, 256)) + conv(1, 256, 64)]),
    ("residual_encoder", RESIDUAL, [(2, 2, 5)],
     [chain(4, 3, 6, 6) + 2 * (conv(3, 6, 4) + conv(1, 4, 6)) + conv(1, 6, 5)]),
    ("residual_encoder", RESIDUAL | dict(stages=1, codes_per_place=3), [(4, 4, 3, 5)],
     [conv(4, 3, 6) + 2 * (conv(3, 6, 4) + conv(1, 4, 6)) + conv(1, 6, 3 * 5)]),
    ("residual_decoder", RESIDUAL | dict(stages=1, codes_per_place=3), [(8, 8, 3)],
     [conv(3, 3 * 5, 6) + 2 * (conv(3, 6, 4) + conv(1, 4, 6)) + conv(4, 6, 3)]),
    ("residual_decoder", RESIDUAL, [(8, 8, 3)],
     [conv(3, 5, 6) + 2 * (conv(3, 6, 4) + conv(1, 4, 6)) + chain(4, 6, 6, 3)]),
    # Radford et al. (2016), fig. 1; the discriminator has no normalization in its first layer.
    ("dcgan_generator", {}, [(64, 64, 3)],
     [conv(4, 100, 1024, False) + INNER + batch_norm(1920) + conv(4, 128, 3)]),
    ("dcgan_discriminator", {}, [()],
     [conv(4, 3, 128) + INNER + batch_norm(1920 - 128) + conv(4, 1024, 1)]),
    # Chen et al. (2016), table 1 of app. C.1; a layer before a normalization has no bias.
    ("info_gan_generator", {}, [(28, 28, 1)],
     [74 * 1024 + batch_norm(1024) + 1024 * 7 * 7 * 128 + batch_norm(7 * 7 * 128)
      + conv(4, 128, 64, False) + batch_norm(64) + conv(4, 64, 1)]),
    ("info_gan_discriminator", {}, [(1,)], [INFO_BODY + dense(1024, 1)]),
    # Karras et al. (2018); one channel more at the end is the standard deviation.
    ("progressive_generator", dict(image_shape=(32, 32, 3), latent_dim=6, filters=5, width=80),
     [(4, 4, 3), (8, 8, 3), (16, 16, 3), (32, 32, 3)],
     [dense(6, 4 * 4 * 5) + chain(3, *[5] * 6, 2, 2) + sum(conv(1, n, 3) for n in GROWN)]),
    ("progressive_discriminator", dict(image_shape=(32, 32, 3), filters=5, width=80), [()] * 4,
     [sum(conv(1, 3, n) for n in GROWN) + chain(3, 2, 2, *[5] * 5) + conv(3, 6, 5)
      + conv(4, 5, 5) + dense(5, 1)]),
    ("style_mapping", dict(latent_dim=6, style_dim=5, depth=3), [(5,)],
     [dense(6, 5) + 2 * dense(5, 5)]),
    # Pathak et al. (2016): 4x4 kernels and normalization, except for the first layer.
    ("context_encoder", dict(image_shape=(32, 32, 3), filters=8), [(4, 4, 32)],
     [conv(4, 3, 8) + chain(4, 8, 16, 32, bias=False) + batch_norm(48)]),
    ("context_decoder", dict(image_shape=(32, 32, 3), filters=8), [(32, 32, 3)],
     [32 * 4**4 + 32 * 32 + batch_norm(32) + chain(4, 32, 16, 8, bias=False) + batch_norm(24)
      + conv(4, 8, 3)]),
    # Zhu et al. (2017): C64-C128-C256-C512, scale and offset in all layers but the first.
    ("patch_discriminator", {}, [(30, 30, 1)], [conv(4, 3, 64) + PATCH + conv(4, 512, 1)]),
    ("resnet_generator", dict(blocks=9), [(None, None, 3)], [resnet(9)]),
    ("resnet_generator", dict(blocks=6), [(None, None, 3)], [resnet(6)]),
    # van den Oord et al. (2016), fig. 5: 2h to h by 1x1, h to h by 3x3, h to 2h by 1x1.
    ("pixel_cnn", dict(filters=8, **PIXELS), [(28, 28, 256)],
     [pixel_stack(conv(1, 16, 8) + conv(3, 8, 8) + conv(1, 8, 16))]),
    ("pixel_rnn", dict(units=8, kind="row", **PIXELS), [(28, 28, 256)],
     [pixel_stack(pixel_lstm(1, 3, 3))]),
    ("pixel_rnn", dict(units=8, kind="diagonal", **PIXELS), [(28, 28, 256)],
     [pixel_stack(pixel_lstm(2, 1, 2))]),
    ("wave_encoder", SIX_HALVINGS, [(10, 3)],
     [conv(2, 1, 2) + 5 * conv(2, 2, 2) + dense(2, 3)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "outputs", "parameters"), TABLE)
def test_shapes_and_parameters(name, arguments, outputs, parameters):
    found = keras.tree.flatten(getattr(networks, name)(**arguments))
    assert [tensor.shape[1:] for network in found for tensor in network.outputs] == outputs
    assert [network.count_params() for network in found] == parameters


@pytest.mark.thorough
@pytest.mark.parametrize("name", TINY)
def test_mixed_precision_gives_float32(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    built = getattr(networks, name)(**TINY[name])
    for network in keras.tree.flatten(built):
        assert {output.dtype for output in network.outputs} == {"float32"}
        assert "bfloat16" in {layer.compute_dtype for layer in network.layers if layer.weights}
        assert {weight.dtype for weight in network.trainable_weights} == {"float32"}


# Only one of the outputs of progressive_discriminator takes images of a size.
DIFFERENTIABLE = ["classifier_on", *sorted(TINY.keys() - {"progressive_discriminator"}), *OTHERS]


ODD = (21, 13, 3)
OF_ODD_SIDES = {
    "big_gan_generator": dict(image_shape=ODD, classes=3, latent_dim=4, filters=2),
    "big_gan_discriminator": dict(image_shape=(21, 17, 3), classes=3, filters=2, attention=None),
    "conv_decoder": dict(image_shape=ODD, latent_dim=24, filters=(2, 2), maps=True),
    "conv_encoder": dict(image_shape=ODD, latent_dim=24, filters=(2, 2), maps=True),
    "dcgan_discriminator": dict(image_shape=ODD, filters=2),
    "dcgan_generator": dict(image_shape=ODD, latent_dim=3, filters=2),
    "dcgan_without": dict(guideline="strides", image_shape=ODD, latent_dim=3, filters=2),
    "info_gan_networks": dict(image_shape=ODD, filters=2, hidden=3),
    "moco_gan_generator": dict(video_shape=(4, *ODD), content_dim=3, motion_dim=2, filters=2),
    "pixel_vae_decoder": dict(image_shape=ODD, latent_dim=2, filters=3, decoder_filters=(2,)),
    "residual_decoder": dict(image_shape=ODD, latent_dim=3, filters=2),
    "residual_encoder": dict(image_shape=ODD, latent_dim=3, filters=2),
    "video_discriminator": dict(video_shape=(4, *ODD), filters=2),
    "vq_vae_2_networks": dict(image_shape=ODD, latent_dim=3, filters=2),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", OF_ODD_SIDES)
def test_sides_need_not_be_multiples(name):
    """What is taken or made is an image of the sides, and codes are those that are made."""
    arguments = OF_ODD_SIDES[name]
    shape = arguments.get("video_shape") or arguments["image_shape"]
    found = keras.tree.flatten(getattr(networks, name)(**arguments))
    ends = [tensor for network in found for tensor in (*network.inputs, *network.outputs)]
    assert shape in [tensor.shape[1:] for tensor in ends]


def built(name) -> list[keras.Model]:
    if name == "classifier_on":
        return [networks.classifier_on(networks.mlp_encoder((8, 8, 1), 3, (4,)))]
    return keras.tree.flatten(getattr(networks, name)(**(TINY | OTHERS)[name]))


@pytest.mark.thorough
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_outputs_have_gradients_by_all_inputs(name, rng):
    for network in built(name):
        # Initial zeros would hide an input.
        for weight in network.trainable_weights:
            weight.assign(weight + rng.normal(0, 0.3, weight.shape))
        inputs = []
        for symbol in network.inputs:
            shape = [3, *(size or 8 for size in symbol.shape[1:])]
            values = rng.normal(size=shape) if "float" in symbol.dtype else np.ones(shape)
            inputs.append(tf.constant(values, symbol.dtype))
        with tf.GradientTape() as tape:
            tape.watch(floats := [each for each in inputs if each.dtype.is_floating])
            outputs = keras.tree.flatten(network(inputs if len(inputs) > 1 else inputs[0]))
            total = sum(tf.reduce_sum(each * rng.normal(size=each.shape)) for each in outputs)
        assert floats and all(np.any(slope) for slope in tape.gradient(total, floats))


FUNCTIONS = sorted(name for name, value in vars(networks).items() if inspect.isfunction(value))


@functools.cache
def required() -> dict:
    """A value for an argument that must be given, by its kind."""
    network = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    layer = keras.layers.Dense(2)
    array = np.zeros([2, 2, 1])
    columns = table_columns({"age": [3, 5], "kind": ["cat", "dog"]})
    return {
        keras.Model: network,
        keras.Layer: layer,
        np.ndarray: array,
        Sequence[Column]: columns,
        int: 3,
        tuple: (4, 4, 1),
    }


def wrong_values(parameter) -> list:
    """Values that an argument of this kind cannot have."""
    kind = str(parameter.annotation)
    wrong = [*testing.ODD]
    if "None" not in kind and "Optional" not in kind and parameter.default is not None:
        wrong.append(None)
    if "float" not in kind:
        wrong += [-1, 2.5]
    if "bool" not in kind:
        wrong.append(True)
    if "str" not in kind:
        wrong.append("many")
    if parameter.name.endswith("shape"):
        wrong += [(), (0, 0, 0), (4, -4, 1)]
    return wrong


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_that_cannot_be_right_are_refused_in_one_sentence(name):
    function = getattr(networks, name)
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    given = {p.name: required().get(p.annotation, (1,)) for p in parameters if p.default is p.empty}
    for parameter in parameters:
        for wrong in wrong_values(parameter):
            with pytest.raises((TypeError, ValueError)) as caught:
                function(**given | {parameter.name: wrong})
                pytest.fail(f"{parameter.name}={wrong!r} was taken")
            text = str(caught.value)
            assert "\n" not in text and len(text) < 300 and text.endswith("."), text
            assert parameter.name in text, (parameter.name, wrong, text)


# Calls whose arguments are right by themselves, and what the sentence begins with or says.
REFUSED = [
    ("big_gan_generator", dict(image_shape=(16, 16, 3), classes=3, latent_dim=7, filters=8),
     "^latent_dim is 7: expected a multiple of 3, so that"),
    ("coupling_flow", dict(shape=(1,), steps=2), "at least 2 values"),
    ("coupling_flow", dict(shape=(3, 4, 1), steps=2), "multiples of 2"),
    ("coupling_flow", dict(shape=(4, 4), steps=2), "got examples of shape"),
    *(
        (name, dict(image_shape=(8, 8, 1), latent_dim=40, filters=(2,), maps=True),
         "latent_dim is 40: expected a multiple of 16, the number")
        for name in ("conv_encoder", "conv_decoder")
    ),
    ("conv_decoder", dict(image_shape=(8, 8)), r"^image_shape is \(8, 8\): expected \(.*channels"),
    ("dcgan_without", dict(guideline="depth"), "guideline"),
    ("glow", dict(shape=(28, 28, 1), scales=3), "sides that are multiples of 8. Use fewer"),
    ("glow", dict(shape=(8, 8), scales=1), "got 1 scales for images of shape"),
    ("lenet", dict(image_shape=(15, 16, 1)), r"^image_shape is \(15, 16, 1\): expected sides"),
    *(
        (name, dict(video_shape=shape), sentence)
        for name in ("moco_gan_generator", "video_discriminator")
        for shape, sentence in (
            ((1, 16, 16, 1), "at least 2 frames. For images, use"),
            ((16, 16, 1), r"expected \(frames, height, width, channels\)"),
        )
    ),
    ("normalized_lenet", dict(image_shape=(3, 8, 1)), "for 3x8 pixels.*Change image_shape"),
    ("patch_discriminator", dict(normalization="batch"), "'batch': expected one of"),
    ("patch_discriminator", dict(image_shape=(None, None, 3), scales=2),
     "scales is 2 for images of NonexNone"),
    ("patch_discriminator", dict(image_shape=(32, 32, 3), scales=2),
     "too small for 3 strided layers at 2 scales"),
    ("patch_discriminator", dict(image_shape=(23, 64, 3), strided_layers=3),
     "23x64 are too small.*least 24 pix"),
    ("patch_discriminator", dict(image_shape=(11, 11, 3), strided_layers=2),
     "11x11 are too small.*least 12 pix"),
    ("pixel_cnn", dict(kernel=2), "kernel_size is 2"),
    ("pixel_cnn", dict(image_shape=(4, 4, 3), filters=2), "2 maps cannot be divided into 3 groups"),
    ("pixel_rnn", dict(kind="column"), "kind is 'column': expected 'row' or 'diagonal'"),
    ("real_nvp", dict(shape=(6, 8, 1), scales=3), "sides that are multiples of 4"),
    *(
        ("resnet_generator", dict(image_shape=shape, filters=2, blocks=1),
         rf"{shape[0]}x{shape[1]}: .*at least 8.* multiples of 4")
        for shape in ((30, 32, 3), (32, 31, 3), (4, 32, 3), (None, 30, 3))
    ),
    ("resnet_generator", dict(normalization="batch"),
     "'batch': expected one of instance, group, pixel"),
    ("series_unet", dict(widths=()), r"widths "),
    ("series_unet", dict(shape=(4, 4, 1)), r"shape is \(4, 4, 1\): expected \(steps, channels\)"),
    ("style_generator", dict(styling="x"), "styling is 'x': expected one of modulated, adain"),
    ("time_unet", dict(widths=(8, 8), attention=(14, 28)),
     r"attention is \(14, 28\), but no map has the side 28: expected one or more of \[14, 7\]"),
    ("time_unet", dict(shape=(28, 28, 1), widths=(8, 12)),
     r"\(8, 12\): expected multiples of groups=8"),
    ("transformer", dict(length=5, levels=3, units=6, heads=4),
     "units is 6, but heads is 4: expected"),
    ("unet_generator", dict(image_shape=(15, 16, 3)),
     "does not accept 15x16 images: expected known, even"),
    ("unet_generator", dict(image_shape=(None, None, 3)), "does not accept NonexNone images"),
    ("unet_generator", dict(noise="salt"), "noise is 'salt': expected one of"),
    ("video_discriminator", dict(video_shape=(6, 16, 16, 1)),
     "^A video of 6 frames is too short for 2 layers"),
    ("video_discriminator", dict(video_shape=(7, 16, 16, 1), normalization="layer"),
     "^normalization is 'layer': expected 'batch' or None"),
    *(
        (name, dict(samples=100, filters=(2,) * 6), "for 100 samples: expected .* of 64")
        for name in ("wave_encoder", "wave_decoder")
    ),
    ("wave_encoder", dict(samples=64, normalization="batch"),
     "normalization is 'batch': expected 'instance' or None"),
    ("wavenet", dict(kernel_size=1), "expected at least 1 block and at least 2 taps"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "sentence"), REFUSED)
def test_arguments_that_do_not_fit_each_other_are_refused(name, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        getattr(networks, name)(**arguments)
