"""The command new: the project trains and passes its tests as it is."""

import subprocess
import sys

import pytest

from keras_gen.workshop.cli import main
from processes import environment


@pytest.mark.slow
def test_a_new_project_trains_and_passes_its_tests(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "deep_thing"]) == 0
    assert "wrote deep_thing" in capsys.readouterr().out
    project = tmp_path / "deep_thing"
    names = {path.name for path in project.iterdir()}
    assert names == {"README.md", "deep_thing.py", "train_deep_thing.py", "test_deep_thing.py"}
    assert "class DeepThing(GenerativeModel):" in (project / "deep_thing.py").read_text()
    assert not [n for n in names if "my_model" in (project / n).read_text().lower()]

    def runs(*arguments):
        command = [sys.executable, *arguments]
        usual = dict(cwd=project, env=environment(), capture_output=True, text=True, check=False)
        done = subprocess.run(command, **usual)
        assert done.returncode == 0, done.stdout + done.stderr

    runs("train_deep_thing.py", "--preset", "smoke", "--output", "out")
    assert (project / "out" / "sample_grid.png").exists()
    runs("-m", "pytest", "-q")
