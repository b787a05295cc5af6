"""What no command line should say ends in one sentence, at once, and changes no file."""

import os
import shutil

import pytest

from commands import written
from keras_gen.serving.exported import METADATA
from keras_gen.workshop.cli import main

LONG = "a" * 300
PATHS = ["/dev/zero", "pipe", "folder.png", "missing.png", "a\0b", LONG, "", "loop.png", "5"]
NO_FOLDERS = [path for path in PATHS if path != "folder.png"]
IMAGES = [path for path in PATHS if path != "5"]
OUTPUTS = [
    "file/x.png", "/dev/full/x.png", "/proc/x.png", "x.unknown", "a\0b.png",
    f"{LONG}.png", "loop.png",
]  # fmt: skip
NUMBERS = ["0", "-1", "1000000000", "1e9", "nan", "9" * 5000, ""]
COMMANDS = [
    *(["list", "--models", path] for path in NO_FOLDERS),
    *(["find", "gan", "--models", path] for path in NO_FOLDERS),
    *(["show", path] for path in PATHS),
    *(["train", path] for path in PATHS),
    *(["sample", path, "-o", "new.png"] for path in PATHS),
    *(["demo", path] for path in PATHS),
    *(["demo", "--models", path] for path in PATHS),
    *(["new", path] for path in PATHS),
    *(["new", "my_new", "--folder", path] for path in PATHS if path not in ("missing.png", "5")),
    *(["publish", path] for path in PATHS),
    *(["results", "--check", "--root", path] for path in PATHS),
    *(["reproduce", path] for path in PATHS),
    *(["reproduce", "vae_mnist", "--root", path] for path in PATHS),
    *(["apply", "inverter", image, "-o", "new.png"] for image in IMAGES if image != "loop.png"),
    *(["complete", "inverter", image, "-o", "new.png"] for image in IMAGES),
    *(["complete", "inverter", "photo.png", "--mask", image, "-o", "new.png"] for image in IMAGES),
    *(["sample", "inverter", "-n", "2", "-o", out] for out in OUTPUTS),
    *(["sample", "inverter", "-n", number, "-o", "new.png"] for number in NUMBERS),
    *(["complete", "inverter", "photo.png", "-n", n, "-o", "new.png"] for n in NUMBERS),
    *(["demo", "--max-megabytes", number] for number in NUMBERS if number != "1000000000"),
    *(["demo", "--port", number] for number in NUMBERS if number != "0"),
    *(["show", name, "--models", "damaged"] for name in ("pipe", "zero")),
    *(
        ["sample", name, "--models", "damaged", "-o", "new.png"]
        for name in ("pipe", "zero", "deep")
    ),
    ["sample", "no_model", "--models", "damaged", "-o", "new.png"],
    ["apply", "inverter", "photo.png", "-o", "photo.png"],
    ["apply", "inverter", "photo.png", "-o", "./photo.png", "--overwrite"],
    ["complete", "inverter", "photo.png", "-o", "photo.png", "--overwrite"],
    ["complete", "inverter", "photo.png", "--mask", "photo.png", "-o", "photo.png", "--overwrite"],
    ["sample", "inverter", "-o", "photo.png"],
]


@pytest.fixture
def hostile(home, models):
    os.mkfifo("pipe")
    os.symlink("loop.png", "loop.png")
    os.mkdir("folder.png")
    (home / "file").touch()
    for name in ("pipe", "zero", "deep", "no_model"):
        shutil.copytree(models / "inverter" / "1", home / "damaged" / name / "1")
    for name in ("pipe", "zero", "deep"):
        (home / "damaged" / name / "1" / METADATA).unlink()
    os.mkfifo(home / "damaged" / "pipe" / "1" / METADATA)
    os.symlink("/dev/zero", home / "damaged" / "zero" / "1" / METADATA)
    (home / "damaged" / "deep" / "1" / METADATA).write_text("[" * 100_000)
    (home / "damaged" / "no_model" / "1" / "saved_model.pb").unlink()
    os.mkfifo(home / "damaged" / "no_model" / "1" / "saved_model.pb")
    return home


def test_hostile_command_lines(hostile, capsys):
    before = written(hostile)
    for command in COMMANDS:
        try:
            code = main(command)
        except SystemExit as ended:  # a wrong command line, whose usage is printed first
            code = ended.code
        error = capsys.readouterr().err.strip().splitlines()
        shown = [part[:20] for part in command], error
        if command[0] == "show" and "damaged" in command:
            assert code == 0, shown  # it tells that the metadata cannot be read
            continue
        assert code in (1, 2) and error, shown
        sentence = error[-1]
        assert sentence.startswith(f"keras-gen {command[0]}: ") and len(sentence) > 40, shown
        assert code == 2 or len(error) == 1, shown
        assert "Errno 36" not in sentence and "null byte" not in sentence, shown
        assert written(hostile) == before, shown
