"""The rows of this repository: shown as they are, with commands that its recipes understand."""

import shlex

import pytest

from keras_gen.results import read_published, read_rows
from keras_gen.results.runs import load_recipe
from keras_gen.results.table import outdated
from keras_gen.run import command, parse
from keras_gen.run.settings import PLACES
from processes import RECIPES, ROOT


def test_the_tables_show_the_rows():
    paths = [path.name for path in outdated(ROOT)]
    assert not paths, f"{paths} differ from recipes/results: run `keras-gen results`"


def test_published_commands_lead_to_the_published_settings():
    for name, rows in read_rows(ROOT).items():
        recipe = load_recipe(ROOT, name)
        figures = {figure.metric: figure for figure in read_published(ROOT, name).figures}
        for row in rows:
            python, script, *flags = shlex.split(row.command)
            assert (python, script) == ("python", f"recipes/{name}.py")
            config = parse(recipe.Settings, recipe.PRESETS, "", flags).as_json()
            assert config == config | row.config and config["preset"] == row.preset
            figure = figures[row.metric]
            assert config == config | dict(figure.given) and config["seed"] == min(row.seeds)
            assert (row.unit, row.paper_value) == (figure.unit, figure.paper_value)
            assert not row.missed_by or row.note


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
