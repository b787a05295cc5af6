"""The published runs of this repository: shown as they are, by commands that recipes understand."""

import dataclasses
import itertools
import re
import shlex

import pytest

from keras_gen.workshop.results import read_groups, read_records
from keras_gen.workshop.results.declarations import filled
from keras_gen.workshop.results.finished_runs import load_recipe
from keras_gen.workshop.results.pages import outdated, read_families
from keras_gen.workshop.results.records import checksum, settings_of
from keras_gen.workshop.results.words import headline
from keras_gen.workshop.run import command
from keras_gen.workshop.run.flags import PLACES
from processes import RECIPES, ROOT

pytestmark = pytest.mark.pages

PAGES = [ROOT / "RESULTS.md", *sorted((ROOT / "docs" / "results").glob("*.md"))]


def test_the_pages_show_the_published_runs():
    paths = [path.name for path in outdated(ROOT)]
    assert not paths, f"{paths} differ from recipes/results: run `keras-gen results`"


def test_a_person_can_read_them():
    index, *pages = PAGES
    # The index has a line for each recipe.
    assert index.stat().st_size <= 32_000
    for page in pages:
        assert page.stat().st_size <= 32_000, page.name
    for path in (ROOT / "recipes" / "results").glob("*.toml"):
        assert len(path.read_text().splitlines()) <= 40, path.name


@pytest.mark.thorough
def test_published_commands_lead_to_the_published_settings():
    for name, groups in read_groups(ROOT).items():
        recipe = load_recipe(ROOT, name)
        for group in groups:
            assert group.record.note or not any(entry.missed_by for entry in group.entries)
            for record in group.records:
                assert shlex.split(record.command)[:2] == ["python", f"recipes/{name}.py"]
                assert is_unchanged(record, recipe.Settings().as_json()), record.command


def is_unchanged(record, defaults) -> bool:
    """Whether a command leads to the settings of its run, and to a few defaults that came later."""
    later = record.settings - checksum(record.config)
    terms = [-checksum({name: value}) for name, value in defaults.items()]
    return any(
        sum(added) == later for count in range(4) for added in itertools.combinations(terms, count)
    )


def test_a_preset_that_changed_since_a_run_is_found_out():
    record = read_records(ROOT, "vae_mnist")["vae_mnist"][0]
    defaults = load_recipe(ROOT, "vae_mnist").Settings().as_json()
    earlier = {k: v for k, v in record.config.items() if k not in ("beta", "start_from")}
    assert is_unchanged(record, defaults)
    assert is_unchanged(dataclasses.replace(record, settings=checksum(earlier)), defaults)
    assert not is_unchanged(
        dataclasses.replace(record, config=record.config | {"hidden": 7}), defaults
    )


def test_names_can_be_filled_with_the_settings_of_every_preset():
    for name, (group, *_) in read_groups(ROOT).items():
        recipe = load_recipe(ROOT, name)
        texts = [figure.metric for figure in group.published.figures]
        texts += [group.published.dataset, *(matrix.title for matrix in group.published.matrices)]
        counted = {group.published.compared: 1}
        for change in recipe.PRESETS.values():
            settings = recipe.Settings(**change).as_json()
            for text in texts:
                assert filled(text, counted | settings)


def test_names_of_figures_say_which_way_is_better():
    more = r"accuracy|agreement|precision|recall|AUROC|PSNR|named right|F-score"
    less = r"error|distance|NLL"
    for name, (group, *_) in read_groups(ROOT).items():
        cells = [cell for matrix in group.published.matrices for cell in matrix.cells]
        for figure in [*group.published.figures, *cells]:
            words, _, rest = figure.metric.partition(",")
            if "chance" in rest:  # the best is to find no more than chance does
                continue
            if re.search(more, words) and not re.search(less, words):
                assert figure.higher_is_better, (name, figure.metric)
            if re.search(less, words) and not re.search(more, words):
                assert not figure.higher_is_better, (name, figure.metric)


def test_every_figure_was_measured():
    for groups in read_groups(ROOT).values():
        for group in groups:
            keys = [key for figure in group.published.figures for key in figure.keys]
            assert all(key in record.values for record in group.records for key in keys)
            for number in range(len(group.published.matrices)):
                assert all(methods_measured(group, number))


def methods_measured(group, number) -> list[bool]:
    """Whether a run has a cell of each method of one of its matrices."""
    matrix = group.published.matrices[number]
    return [any(map(group.entry, row)) for row in matrix.compared.values()]


def test_the_headline_is_the_same_on_every_page():
    index = (ROOT / "RESULTS.md").read_text().splitlines()
    for name, (group, *_) in read_groups(ROOT).items():
        entry = group.entries[0]
        metric, value = headline(entry)
        metric = metric.replace("|", "\\|")  # as a table shows it
        (line,) = [r for r in index if f"(recipes/{name}.py)" in r and r[:1] == "|"]
        assert f"| {metric} | {value}" in line
        assert ("▽ short of the paper" in line) == bool(entry.missed_by)
        assert ("⇒ use " in line) == entry.is_behind
        page = (ROOT / "docs" / "results" / f"{group.published.family}.md").read_text()
        below = page.partition(f"`{name} ")[2]
        assert f"| {metric} | {value.partition(' (')[0]}" in below.partition("\n\n")[2][:600]


def test_a_figure_in_words_says_what_it_is_held_against():
    for name, family in read_families(ROOT).items():
        assert "{value" in family.figure, name
        assert "{paper" in family.figure or "{baseline" in family.figure, name
        assert (ROOT / family.image).exists(), name


def test_every_preset_has_a_command():
    for name in RECIPES:
        recipe = load_recipe(ROOT, name)
        for preset, change in recipe.PRESETS.items():
            settings = recipe.Settings(**change | {"preset": preset})
            config = {key: value for key, value in settings.as_json().items() if key not in PLACES}
            line = command(name, recipe.Settings, recipe.PRESETS, config)
            assert line == f"python recipes/{name}.py --preset {preset}"
            changed = config | {"seed": 3, "epochs": 7, "deterministic": True}
            line = command(name, recipe.Settings, recipe.PRESETS, changed)
            assert settings_of(ROOT / "recipes" / f"{name}.py", line) == changed


# Words of a headline and of its dataset, and the strongest inexpensive baseline for such results.
STRONGEST = [
    (r"NLL|ELBO|bound|-log p\(rest", "binarized", "boosted trees"),
    ("NLL with uniform dequantization", "", "boosted trees"),
    (r"-log P\(row\)", "", "Chow-Liu tree"),
    (r"-log P\(row", "", "mixture of .* product"),
    (r"\b(50|100|labels}) labels", "^MNIST", "HOG|gradient histograms"),
    ("^AUROC", "", "nearest in gradient histograms"),
    ("kernel distance(?! of)|requested class", "", "Gaussian mixture"),
    ("test error, fine-tuned", "^MNIST", "nearest neighbors of strokes"),
    ("matched to a class|trained on the categories", "", "k-means on strokes"),
    ("per (character|word|code)", "", "n-grams|Kneser-Ney"),
    ("per (16-bit )?sample", "digits", "stacked least squares"),
    ("PSNR.* codes", "", "entropy-coded principal components"),
    ("PSNR gain", "", "boosted trees"),
    ("known density", "swinging body", "mixture of factor analyzers"),
    ("checkerboard|white squares", "", "histogram"),
    ("excess patch distance", "", "color transfer and gray grain"),
    ("USPS .*accuracy|MNIST-M", "", "nearest neighbor on cropped digits"),
    ("under the worst attack", "", "pixel threshold"),
    ("class accuracy from", "", "linear discriminants of strokes"),
    ("error of critic's distance", "", "exact distance"),
]


def test_a_headline_is_compared_with_the_strongest_inexpensive_baseline():
    for name, (group, *_) in read_groups(ROOT).items():
        published = group.published
        compared = [*published.figures, *published.matrices]
        baselines = ", ".join(label for each in compared for label in each.baselines)
        for headline_words, dataset, baseline in STRONGEST:
            if re.search(headline_words, published.figures[0].metric):
                if re.search(dataset, published.dataset):
                    assert re.search(baseline, baselines), f"{name} lacks {baseline}"
