"""The rows of this repository: shown as they are, with commands that its recipes understand."""

import functools
import shlex

import pytest
from keras_gen.results.table import outdated, value

from keras_gen.results import read_entries
from keras_gen.results.runs import load_recipe
from keras_gen.run import command, parse
from keras_gen.run.settings import PLACES
from processes import RECIPES, ROOT


def test_the_tables_show_the_rows():
    paths = [path.name for path in outdated(ROOT)]
    assert not paths, f"{paths} differ from recipes/results: run `keras-gen results`"


@functools.cache  # a row has several figures
def settings_of(recipe, *flags):
    return parse(recipe.Settings, recipe.PRESETS, "", flags).as_json()


def test_published_commands_lead_to_the_published_settings():
    for name, runs in read_entries(ROOT).items():
        recipe = load_recipe(ROOT, name)
        for entry in (entry for run in runs for entry in run):
            assert not entry.missed_by or entry.row.note
            for row in entry.rows:
                python, script, *flags = shlex.split(row.command)
                assert (python, script) == ("python", f"recipes/{name}.py")
                config = settings_of(recipe, *flags)
                assert config == config | row.config and config["preset"] == row.preset
                assert config == config | dict(entry.figure.given)
                count = config[entry.figure.seeds] if entry.figure.seeds else 1
                assert row.seeds == list(range(config["seed"], config["seed"] + count))


def test_what_is_behind_its_baseline_says_so():
    text = (ROOT / "README.md").read_text()
    for name, runs in read_entries(ROOT).items():
        (line,) = [line for line in text.splitlines() if f"(recipes/{name}.py)" in line]
        shown = [run[0] for run in runs if value(run[0]) in line]
        assert shown and ("behind its baseline" in line) == shown[0].is_behind
    lines = (ROOT / "RESULTS.md").read_text().splitlines()
    behind = [e for runs in read_entries(ROOT).values() for run in runs for e in run if e.is_behind]
    assert behind and sum("behind its baseline (" in line for line in lines) == len(behind)


@pytest.mark.parametrize("name", RECIPES)
def test_every_preset_has_a_command(name):
    recipe = load_recipe(ROOT, name)
    for preset, change in recipe.PRESETS.items():
        settings = recipe.Settings(**change | {"preset": preset})
        config = {key: value for key, value in settings.as_json().items() if key not in PLACES}
        line = command(name, recipe.Settings, recipe.PRESETS, config)
        assert line == f"python recipes/{name}.py --preset {preset}"
        changed = config | {"seed": 3, "epochs": 7, "deterministic": True}
        line = command(name, recipe.Settings, recipe.PRESETS, changed)
        read = parse(recipe.Settings, recipe.PRESETS, "", shlex.split(line)[2:]).as_json()
        assert {key: value for key, value in read.items() if key not in PLACES} == changed
