"""Flags, presets, saved settings, and what is refused about them."""

import dataclasses
import itertools
import json
import os
import re
import shlex
from pathlib import Path
from typing import Literal

import pytest

from keras_gen.files.writing import write_json
from keras_gen.workshop.run import RunSettings, command, parse
from keras_gen.workshop.run.flags import FREE, ShortStepSettings, check, own_data, own_flags


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    """Settings of a toy."""

    learning_rate: float = 0.1
    """Rate, of which one is too much."""
    kind: Literal["plain", "fancy"] = "plain"
    """Which kind
    of toy."""
    filters: int = 64
    """Channels."""
    photos: Path | None = None
    """Folder of photographs."""
    pool_size: int = 50
    """Images kept."""
    ema: float = 0.0
    """Momentum."""


@dataclasses.dataclass(frozen=True)
class Bounded(Settings):
    PYRAMIDS = ("side",)

    compared: int = 10
    warm_up: float = 0.5
    std: float = 1.0
    side: int = 16
    sizes: str = "5 10"
    guidance: str = "0 1"
    words: str = "any words"


@dataclasses.dataclass(frozen=True)
class WithQuick(Settings):
    preset: Literal["auto", "smoke", "quick", "cpu", "paper"] = "auto"


PRESETS = {
    "smoke": dict(filters=2, epochs=2),
    "cpu": dict(filters=8, epochs=20, kind="fancy"),
    "paper": dict(epochs=200),
}
DESCRIPTION = "Toy: a toy.\n\n  python toy.py --preset smoke     two lines\n"


def run(*argv, saved=None):
    return parse(Settings, PRESETS, DESCRIPTION, list(argv), saved)


def refused(capsys, *argv, saved=None):
    """The sentence with which flags are refused; nothing else is said but a short usage."""
    with pytest.raises(SystemExit) as error:
        run(*argv, saved=saved)
    assert error.value.code == 2
    captured = capsys.readouterr()
    usage, sentence = captured.err.splitlines()
    assert usage.startswith("usage: ") and captured.out == ""
    return sentence.split(": error: ")[1]


class TestPresets:
    def test_values(self):
        assert (run("--preset", "smoke").filters, run("--preset=cpu").filters) == (2, 8)
        paper = run("--preset", "paper")
        assert (paper.filters, paper.epochs, paper.kind) == (64, 200, "plain")

    @pytest.mark.parametrize(("gpus", "expected"), [(0, "cpu"), (1, "paper")])
    @pytest.mark.parametrize("argv", [[], ["--preset", "auto"]])
    def test_auto_is_resolved(self, monkeypatch, gpus, expected, argv):
        monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: gpus * ["GPU"])
        result = run(*argv)
        assert result.preset == expected and result.epochs == PRESETS[expected]["epochs"]

    @pytest.mark.parametrize("order", [1, -1])
    def test_flags_change_single_settings(self, order):
        argv = [["--preset", "smoke"], ["--filters", "16"]][::order]
        result = run(*argv[0], *argv[1])
        assert result == Settings(preset="smoke", filters=16, epochs=2)

    def test_a_recipe_may_have_the_preset_quick(self, capsys):
        presets = PRESETS | {"quick": dict(epochs=3)}
        assert parse(WithQuick, presets, DESCRIPTION, ["--preset", "quick"]).epochs == 3
        # It is where to begin, also with a GPU.
        assert parse(WithQuick, presets, DESCRIPTION, []).preset == "quick"
        assert parse(WithQuick, presets, DESCRIPTION, [], usual="paper").epochs == 3
        assert parse(WithQuick, presets, DESCRIPTION, ["--preset", "cpu"]).epochs == 20
        said = "--preset is quick: expected one of smoke, cpu, paper."
        assert refused(capsys, "--preset", "quick") == said

    def test_wrong_flags_are_refused_before_gpus_are_known_if_there_is_quick(self, monkeypatch):
        monkeypatch.setattr("keras_gen.workshop.run.flags._may_have_gpu", lambda: True)
        argv = ["--epochs", "0"]
        check(Settings, PRESETS, DESCRIPTION, argv)
        with pytest.raises(SystemExit):
            check(WithQuick, PRESETS | {"quick": dict(epochs=3)}, DESCRIPTION, argv)


def test_types():
    result = run("--photos", "a/b", "--deterministic", "--kind", "fancy", "--learning-rate", "1e-3")
    assert result.photos == Path("a/b") and result.deterministic is True
    assert (result.kind, result.learning_rate, result.output) == ("fancy", 1e-3, None)
    assert run("--no-deterministic").deterministic is False


def test_json_holds_plain_values():
    config = run("--preset", "smoke", "--photos", "a", "--output", "b").as_json()
    assert config["photos"] == "a" and config["output"] == "b" and config["export"] is None
    assert set(config) == {field.name for field in dataclasses.fields(Settings)}


class TestRefusals:
    @pytest.mark.parametrize(
        ("argv", "sentence"),
        [
            (["--xyz", "3"], "--xyz is not a flag of this recipe: --help lists its flags."),
            (["--step", "3"], "did you mean --steps-per-epoch?"),
            (["--steps_per_epoch", "3"], "did you mean --steps-per-epoch?"),
            (["--leanring-rate=1"], "--leanring-rate is not a flag .* mean --learning-rate?"),
            (["smoke"], "smoke is not a flag of this recipe"),
            (["--output"], "argument --output: expected one value"),
            (["--output="], "argument --output: expected one value"),
            (["--photos", "--seed", "1"], "argument --photos: expected one value"),
            (["--learning-rate", "-1"], "--learning-rate is -1: expected a number of at least 0."),
            (
                ["--learning-rate", "nan"],
                "--learning-rate is nan: expected a number of at least 0.",
            ),
            (["--epochs", "0"], "--epochs is 0: expected an integer of at least 1."),
            (["--epochs", "2.5"], "--epochs is '2.5': expected an integer of at least 1."),
            (["--seed", "9" * 5000], "9: expected an integer of at least 0."),
            (["--learning-rate=x"], "--learning-rate is 'x': expected a number of at least 0."),
            (
                ["--seed", "2147483648"],
                "--seed is 2147483648: expected an integer of at most 2147483647.",
            ),
            (["--ema", "1"], "--ema is 1.0: expected a fraction of at least 0 and below 1."),
            (["--kind", "odd"], "--kind: invalid choice: 'odd' (choose from 'plain', 'fancy')"),
            (["--preset", "tiny"], "--preset is tiny: expected one of smoke, cpu, paper."),
            (["--resume=maybe"], "--resume"),
        ],
    )
    def test_one_sentence_and_exit_code_2(self, capsys, argv, sentence):
        said = refused(capsys, *argv)
        for part in sentence.split(" .* "):
            assert part in said

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            (dict(learning_rate=0.0), "--learning-rate is 0: expected a positive number."),
            (
                dict(learning_rate=1e39),
                "--learning-rate is 1e+39: expected a number of at most 3e+38.",
            ),
            (
                dict(learning_rate=float("inf")),
                "--learning-rate is inf: expected a number of at least 0.",
            ),
            (
                dict(epochs=3_000_000_000),
                "--epochs is 3000000000: expected an integer of at most 2147483647.",
            ),
            (dict(epochs=-1), "--epochs is -1: expected an integer of at least 1."),
            (dict(compared=9), "--compared is 9: expected an integer of at least 10."),
            (dict(warm_up=1.5), "--warm-up is 1.5: expected a number from 0 to 1."),
            (dict(std=0.0), "--std is 0: expected a positive number."),
            (dict(side=48), "--side is 48: expected a power of two of at least 16, such as 64."),
            (dict(side=8), "--side is 8: expected a power of two of at least 16, such as 64."),
            (dict(sizes="5 x"), "--sizes is '5 x': expected integers of at least 1, separated"),
            (dict(sizes="2.5"), "--sizes is '2.5': expected integers of at least 1"),
            (dict(sizes="0 5"), "--sizes is '0 5': expected integers of at least 1"),
            (dict(sizes=" "), "--sizes is ' ': expected integers of at least 1"),
            (dict(guidance="1 nan"), "--guidance is '1 nan': expected numbers of at least 0"),
            (dict(guidance="1 -1"), "--guidance is '1 -1': expected numbers of at least 0"),
        ],
    )
    def test_values_out_of_bounds(self, changes, sentence):
        with pytest.raises(ValueError, match=re.escape(sentence)):
            Bounded(**changes)

    def test_values_within_bounds(self):
        assert Bounded(guidance="0 0.5", sizes="7", seed=2**31 - 1, side=32, warm_up=1.0)

    def test_an_epoch_of_no_whole_number_of_calls(self):
        assert ShortStepSettings(steps_per_epoch=150, steps_per_execution=50)
        with pytest.raises(
            ValueError, match=r"--steps-per-epoch is 120: expected a multiple .* 50"
        ):
            ShortStepSettings(steps_per_epoch=120, steps_per_execution=50)


class TestHelp:
    @pytest.fixture
    def text(self, capsys):
        with pytest.raises(SystemExit) as error:
            run("--preset", "smoke", "--help")
        assert error.value.code == 0
        return capsys.readouterr().out

    def test_holds_the_description_every_flag_and_its_help(self, text):
        assert DESCRIPTION in text
        for field in dataclasses.fields(Settings):
            assert f"--{field.name.replace('_', '-')}" in text
        words = " ".join(text.split())
        for help in ("Which kind of toy.", "Rate, of which one is too much.", "Seed for the weigh"):
            assert help in words

    def test_shows_the_values_of_the_chosen_preset(self, text):
        assert "\nflags:\n" in text and "['settings']" not in text and "quick" not in text
        words = " ".join(text.split())
        assert "Channels. (default: 2)" in words and "Images kept. (default: 50)" in words
        assert "(default: smoke)" in words


class TestConfig:
    """Settings of another run, for a new one."""

    @pytest.fixture
    def config(self, tmp_path):
        settings = Settings(preset="cpu", filters=3, epochs=5, output=Path("a"), resume=True)
        write_json(tmp_path / "config.json", settings.as_json() | {"run": "1f", "recipe": "toy"})
        return str(tmp_path / "config.json")

    def test_takes_the_presets_place(self, config):
        expected = Settings(preset="cpu", filters=3, epochs=5, config=Path(config))
        assert run("--config", config) == run("--config", config, "--preset", "cpu") == expected
        assert run(f"--config={config}", "--filters", "4").filters == 4

    def test_what_cannot_be(self, config, capsys, tmp_path):
        said = refused(capsys, "--config", config, "--preset", "smoke")
        assert said == "--preset is smoke, but --config has the preset cpu: pass only one."
        (tmp_path / "other.json").write_text("{}")
        with pytest.raises(
            ValueError, match=r"other.json does not contain the settings of a run: choose ano"
        ):
            run("--config", str(tmp_path / "other.json"))
        with pytest.raises(FileNotFoundError):
            run("--config", "nowhere.json")

    def test_what_never_ends_is_not_read(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.json")
        for path in (tmp_path / "pipe.json", "/dev/zero"):
            with pytest.raises(OSError, match=f"{path} is a pipe, a socket, or a device"):
                run("--config", str(path))

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"preset": "huge"}, "uses the preset 'huge': expected one of smoke, cpu, paper"),
            ({"preset": ["cpu"]}, r"uses the preset \['cpu'\]: expected one of smoke, cpu, paper"),
            ({"preset": None}, "uses the preset None: expected one of smoke, cpu, paper"),
            ({"epochs": "5"}, "has epochs='5': expected an integer. Correct"),
            ({"epochs": 5.5}, "has epochs=5.5"),
            ({"epochs": True}, "has epochs=True"),
            ({"kind": "odd"}, "has kind='odd'"),
            ({"photos": 1}, "has photos=1"),
            ({"photos": ""}, "has photos='': expected a path"),
            ({"learning_rate": [0.1]}, r"has learning_rate=\[0.1\]"),
            ({"width": 3}, "has settings that are unknown to this recipe: width"),
        ],
    )
    def test_settings_that_cannot_be(self, config, change, says):
        settings = json.loads(Path(config).read_text()) | change
        write_json(config, settings)
        with pytest.raises(ValueError, match=f"The saved run {says}"):
            run("--config", config)
        del settings["run"], settings["recipe"]
        with pytest.raises(ValueError, match=f"The saved run {says}"):
            run("--resume", saved=settings)


class TestResume:
    saved = Settings(preset="smoke", filters=3, epochs=5, photos=Path("a")).as_json()

    def test_takes_the_saved_settings(self):
        result = run("--resume", saved=self.saved)
        assert result == Settings(
            preset="smoke", filters=3, epochs=5, photos=Path("a"), resume=True
        )

    def test_places_and_devices_may_change(self):
        argv = ["--resume", "--output", "b", "--export", "c", "--strategy", "default"]
        result = run(*argv, saved=self.saved)
        assert (result.output, result.export, result.strategy) == (Path("b"), Path("c"), "default")
        assert run("--resume", "--validate-every", "5", saved=self.saved).validate_every == 5
        places = {"resume", "config", "output", "export", "weights"}
        assert set(FREE) == places | {"strategy", "preset", "validate_every"}

    def test_other_settings_are_refused_by_name(self, capsys):
        said = refused(capsys, "--resume", "--preset", "paper", saved=self.saved)
        assert "--preset is smoke in that run, but paper here" in said
        said = refused(
            capsys, "--resume", "--filters", "4", "--epochs", "4", "--seed", "0", saved=self.saved
        )
        assert (
            "--epochs is 5 in that run, but 4 here; --filters is 3 in that run, but 4 here." in said
        )
        assert "--seed" not in said

    def test_epochs_may_be_more(self):
        assert run("--resume", "--epochs", "6", saved=self.saved).epochs == 6


class TestCommand:
    @staticmethod
    def of(**changes):
        preset = changes.pop("preset", "cpu")
        settings = Settings(**PRESETS[preset] | {"preset": preset} | changes)
        return command("toy", Settings, PRESETS, settings.as_json())

    @pytest.mark.parametrize(
        ("changes", "flags"),
        [
            ({}, ""),
            (dict(seed=3), " --seed 3"),
            (dict(kind="plain", filters=64), " --kind plain --filters 64"),
            (
                dict(deterministic=True, learning_rate=2e-5),
                " --deterministic --learning-rate 2e-05",
            ),
            (dict(output=Path("a"), export=Path("b"), resume=True), ""),
            (dict(strategy="mirrored"), " --strategy mirrored"),
        ],
    )
    def test_holds_what_differs_from_the_preset(self, changes, flags):
        assert self.of(**changes) == f"python recipes/toy.py --preset cpu{flags}"

    @pytest.mark.parametrize("preset", PRESETS)
    def test_leads_back_to_the_settings(self, preset):
        changes = dict(PRESETS[preset], preset=preset, seed=5, learning_rate=1 / 3, ema=0.0)
        for change in (dict(kind="plain"), dict(epochs=1), dict(deterministic=True)):
            settings = Settings(**changes | change)
            words = shlex.split(command("toy", Settings, PRESETS, settings.as_json()))
            assert run(*words[2:]) == settings

    def test_turns_off_what_a_preset_turns_on(self):
        presets = PRESETS | {"cpu": dict(deterministic=True)}
        words = shlex.split(command("toy", Settings, presets, {"preset": "cpu"}))
        assert words[4:] == ["--no-deterministic"]
        assert parse(Settings, presets, "", words[2:]).deterministic is False

    @pytest.mark.parametrize(
        ("config", "sentence"),
        [
            (
                {"preset": "tiny"},
                "the run's preset is tiny: expected one of smoke, cpu, paper for toy.",
            ),
            ({}, "the run's preset is None"),
            ({"preset": "cpu", "wheels": 4}, "are unknown to this recipe: wheels"),
            ({"preset": "cpu", "photos": "a"}, "--photos is a: expected a number or a word"),
        ],
    )
    def test_refuses(self, config, sentence):
        with pytest.raises(ValueError, match=sentence):
            command("toy", Settings, PRESETS, config)


class TestOwnFlags:
    """The flags that a longer run repeats."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({}, []),
            # What a preset changes belongs to its scale.
            (dict(epochs=7, filters=3, kind="plain"), []),
            (dict(photos=Path("my photos")), ["--photos", "my photos"]),
            (dict(seed=3, deterministic=True), ["--seed", "3", "--deterministic"]),
            (dict(output=Path("a"), resume=True, export=Path("b")), ["--export", "b"]),
        ],
    )
    def test_hold_at_every_scale(self, changes, words):
        settings = Settings(**PRESETS["smoke"] | {"preset": "smoke"} | changes)
        flags = own_flags(settings, PRESETS)
        assert sorted(itertools.chain(*flags.values())) == sorted(words)

    def test_a_folder_is_a_users_own_data(self):
        assert own_data(Settings(photos=Path("a")))
        assert not own_data(Settings(output=Path("a"), export=Path("b"), weights=Path("c")))
