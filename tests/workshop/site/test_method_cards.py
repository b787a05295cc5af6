"""Cards of methods: formulas that are rendered, texts that fit, and one page for each method."""

import copy
import re

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.mathtext import MathTextParser

pytest.importorskip("griffe", reason='needs the tools of the site: pip install -e ".[docs]"')

from keras_gen.workshop.site import __main__ as command
from keras_gen.workshop.site import links, method_cards, methods
from processes import ROOT

pytestmark = pytest.mark.pages


@pytest.fixture(scope="module")
def models() -> methods.Methods:
    return methods.Methods(ROOT, links.Links(ROOT))


def test_all_formulas_are_rendered(models):
    parser = MathTextParser("agg")
    for name, algorithm in models.algorithms.items():
        parts = [f"${each}$" for each in method_cards.equations(algorithm.formula)]
        for part in [*parts, *filter(lambda step: "$" in step, algorithm.steps)]:
            try:
                parser.parse(part)
            except ValueError as error:
                raise AssertionError(f"{name}: {part}") from error


@pytest.mark.parametrize(
    "equation, terms",
    [
        (r"L = a + b - c", ["L = a", " + b", " - c"]),
        (r"L = (a + b) - \{c - d\}", ["L = (a + b)", r" - \{c - d\}"]),
        (r"\|a - b\|^2 + \left\| c + d \right\|", [r"\|a - b\|^2", r" + \left\| c + d \right\|"]),
        (r"K(p \,\|\, q) + a", [r"K(p \,\|\, q)", " + a"]),
    ],
)
def test_an_equation_is_split_outside_of_brackets(equation, terms):
    assert method_cards.terms_of(equation) == terms


@pytest.mark.parametrize("family, name", [("gan", "GAN"), ("fairness", "VFAE"), ("vae", "BIVA")])
def test_everything_is_on_the_page_and_nothing_overlaps(models, family, name):
    figure = method_cards.card(models, family, name)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.texts if text.get_text()]
    boxes += [axes.get_window_extent(renderer) for axes in figure.axes]
    for number, box in enumerate(boxes):
        assert 0 <= box.x0 and box.x1 <= method_cards.WIDTH
        assert 0 <= box.y0 and box.y1 <= method_cards.HEIGHT
        for other in boxes[:number]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            assert across < 1 or min(box.y1, other.y1) - max(box.y0, other.y0) < 3
    shown = "".join(text.get_text() for text in figure.texts)
    for words in (name, "When to use", "Result", "Baseline", "Paper"):
        assert words in shown


def test_the_command_writes_one_page_for_each_method(models, monkeypatch, tmp_path, capsys):
    few = copy.copy(models)
    few.families = {"gan": ["GAN", "WGAN"]}
    monkeypatch.setattr(command, "Methods", lambda root, links: few)
    path = tmp_path / "cards.pdf"
    monkeypatch.setattr("sys.argv", ["site", "--cards", str(path)])
    assert command.main() == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert len(re.findall(rb"/Type /Page\b", path.read_bytes())) == 2


def test_a_page_that_fails_leaves_the_existing_file(models, monkeypatch, tmp_path, capsys):
    few = copy.copy(models)
    few.families = {"gan": ["GAN", "WGAN"]}
    path = tmp_path / "cards.pdf"
    path.write_bytes(b"old")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(method_cards, "card", full)
    with pytest.raises(OSError, match="No space"):
        method_cards.write_cards(few, path)
    assert path.read_bytes() == b"old" and [*tmp_path.iterdir()] == [path]
    monkeypatch.setattr(command, "Methods", lambda root, links: few)
    monkeypatch.setattr("sys.argv", ["site", "--cards", str(tmp_path)])
    assert command.main() == 1
    assert capsys.readouterr().err == f"site: {tmp_path} is a folder: expected the path of a PDF.\n"
