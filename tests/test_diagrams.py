"""The diagrams of the course are drawn from their table, legible, shown, and true of the code."""

import importlib
import itertools
import re
from xml.etree import ElementTree

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.layers import AdaptiveGroupNormalization, AffineCoupling, MaskedDense
from keras_gen.networks import dcgan_discriminator, dcgan_generator, mlp_networks, time_unet
from processes import ROOT

pytestmark = pytest.mark.pages

COURSE = ROOT / "docs" / "course"
CHAPTERS = sorted(path.stem for path in COURSE.glob("[0-9][0-9]_*.py"))
SIZE = re.compile(r"(\d+) × (\d+) × (\d+)")


@pytest.fixture
def diagrams(monkeypatch):
    monkeypatch.syspath_prepend(str(COURSE))
    return importlib.import_module("diagrams")


@pytest.fixture
def table(diagrams):
    return diagrams.read_diagrams()


def arrows(diagrams, diagram, kind="->"):
    return [(a, b) for a, found, b, _ in diagrams.arrows_of(diagram) if found == kind]


def size(diagrams, diagram, name):
    """The numbers in the text of a node, such as the height, width, and channels of maps."""
    text = " ".join(diagrams.nodes_of(diagram)[name].lines)
    return tuple(map(int, SIZE.search(text).groups()))


def test_files_are_of_the_table_as_it_is(diagrams, table):
    for name, diagram in table.items():
        text = (COURSE / "diagrams" / f"{name}.svg").read_text(encoding="utf-8")
        assert text == diagrams.draw(diagram), f"{name} is old: run docs/course/diagrams.py"
        assert ElementTree.fromstring(text).get("viewBox")
    assert {path.stem for path in (COURSE / "diagrams").iterdir()} == set(table)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_shows_its_diagrams_with_a_caption(chapter, table):
    page = (COURSE / f"{chapter}.md").read_text(encoding="utf-8")
    shown = re.findall(r"^!\[(.+)\]\(diagrams/(\w+)\.svg\)\n\n\*\S[^*]+\.\*$", page, re.MULTILINE)
    own = [(each["alt"], name) for name, each in table.items() if name[:2] == chapter[:2]]
    assert own and sorted(shown) == sorted(own)


def test_nothing_covers_anything_else(diagrams, table):
    for title, diagram in table.items():
        nodes = diagrams.nodes_of(diagram)
        for (a, one), (b, other) in itertools.combinations(nodes.items(), 2):
            if "bend" not in (one.role, other.role):
                apart = np.abs([one.x - other.x, one.y - other.y])
                assert (apart >= np.add(one.half, other.half)).any(), (title, a, b)
        for start, _, end, _ in diagrams.arrows_of(diagram):
            between = np.linspace(nodes[start][:2], nodes[end][:2], 100)
            for name, node in nodes.items():
                if name not in (start, end) and node.role != "bend":
                    inside = np.abs(between - node[:2]) < np.array(node.half) - 1
                    assert not inside.all(axis=1).any(), (title, start, end, name)


def test_formulas_have_indices_and_italic_letters(diagrams):
    formatted = diagrams._formatted("mean $log x_{t-1}$ < 1")
    text = "".join(ElementTree.fromstring(f"<text>{formatted}</text>").itertext())
    assert text == "mean log xt-1 < 1"
    assert re.findall(r'italic"[^>]*>([^<]+)<', formatted) == ["x", "t"]
    assert re.findall(r'dy="(-?\d)"', formatted) == ["4", "-4"]


def test_the_sizes_of_the_autoencoder(diagrams, table):
    networks = mlp_networks(latent_dim=16, hidden=(256, 128), heads=("codes",))
    nodes = diagrams.nodes_of(table["01_autoencoder"])
    for network, name in zip(networks, ("encoder", "decoder"), strict=True):
        dense = [each for each in network.layers if isinstance(each, keras.layers.Dense)]
        sizes = [dense[0].kernel.shape[0], *(each.units for each in dense)]
        assert nodes[name].lines[1] == " → ".join(map(str, sizes))


def test_the_connections_of_made(diagrams, table):
    nodes = diagrams.nodes_of(table["07_made"])
    x, h, y = ([name for name in nodes if re.match(rf"{c}\d", name)] for c in "xhy")
    degrees = {name: int(nodes[name].lines[0]) for name in (*x, *h, *y)}
    drawn = set(arrows(diagrams, table["07_made"]))
    for start, end, strict in ((x, h, False), (h, y, True)):
        layer = MaskedDense([degrees[n] for n in end], [degrees[n] for n in start], strict=strict)
        layer.build((None, 4))
        weights = layer(tf.eye(4)) - layer.bias
        allowed = {(start[a], end[b]) for a, b in np.argwhere(weights.numpy() != 0)}
        assert allowed == {(a, b) for a, b in drawn if a in start and b in end}


def test_the_dependencies_of_a_coupling(diagrams, table):
    passive = keras.Input([1])
    heads = [keras.layers.Dense(1, kernel_initializer="ones")(passive) for _ in range(2)]
    layer = AffineCoupling(keras.Model(passive, heads))
    x = tf.constant([[0.3, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, _, _ = layer(x)
    reached = {("x1", "x1"), ("x2", "x2")}
    for _ in range(4):
        further = arrows(diagrams, table["08_coupling"])
        reached |= {(x, b) for x, end in reached for a, b in further if a == end}
    drawn = [[(x, y) in reached for x in ("x1", "x2")] for y in ("y1", "y2")]
    assert np.array_equal(tape.batch_jacobian(y, x)[0] != 0, drawn)


def test_the_maps_of_dcgan(diagrams, table):
    diagram = table["10_dcgan"]
    generator = dcgan_generator((32, 32, 1), 42, 12)
    discriminator = dcgan_discriminator((32, 32, 11), 12)
    convolutions = keras.layers.Conv2D, keras.layers.Conv2DTranspose
    made, judged = (
        [each.output.shape[1:] for each in network.layers if isinstance(each, convolutions)]
        for network in (generator, discriminator)
    )
    assert made == [size(diagrams, diagram, name) for name in ("g1", "g2", "g3", "image")]
    assert judged[:3] == [size(diagrams, diagram, name) for name in ("d1", "d2", "d3")]


def test_the_unet(diagrams, table):
    diagram = table["14_unet"]
    network = time_unet((16, 16, 1), (16, 32), classes=10)
    layers = keras.layers
    joined = [
        each.output.shape[1:] for each in network.layers if isinstance(each, layers.Concatenate)
    ]
    below = {end: start for start, end in arrows(diagrams, diagram)}
    drawn = []
    for start, end in arrows(diagrams, diagram, "-->"):
        *maps, channels = size(diagrams, diagram, start)
        drawn.append((*maps, channels + size(diagrams, diagram, below[end])[-1]))
    assert sorted(drawn) == sorted(shape for shape in joined if len(shape) == 3)
    texts = [" ".join(node.lines) for node in diagrams.nodes_of(diagram).values()]
    for word, layer, more in (
        ("block", AdaptiveGroupNormalization, 1),  # one more before the last convolution
        ("attention", layers.LayerNormalization, 0),
        ("double", layers.UpSampling2D, 0),
    ):
        number = sum(isinstance(each, layer) for each in network.layers)
        assert sum(word in text for text in texts) + more == number, word
    assert size(diagrams, diagram, "prediction") == network.output_shape[1:]
