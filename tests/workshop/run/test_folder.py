"""Which folder a run takes, and which it refuses."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import left_by_a_killed_process
from keras_gen.workshop.run import RunSettings
from keras_gen.workshop.run.folder import choose_folder, leave_folder, train_on
from processes import tasks

HOLD = """
import sys
from filelock import FileLock
lock = FileLock(sys.argv[1] + "/.lock")
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def choose(**settings):
    return choose_folder(RunSettings(preset="smoke", **settings), "toy")


def make_run(folder, finished=False, **config):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"preset": "smoke"} | config))
    if finished:
        (folder / "metrics.json").write_text("{}")
    return folder


@pytest.fixture
def other_process():
    """Function that lets another process hold a folder."""
    started = []

    def hold(folder):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in started:
        process.communicate()


class TestNew:
    def test_is_named_after_the_time(self, here):
        folder, saved = choose()
        assert folder.parent == Path("runs/toy") and folder.is_dir() and saved is None
        time.strptime(folder.name, "%Y%m%d-%H%M%S")

    def test_two_in_one_second_do_not_share(self, here, monkeypatch):
        monkeypatch.setattr(time, "strftime", lambda form: "now")
        assert [choose()[0].name for _ in range(3)] == ["now", "now-2", "now-3"]

    def test_output(self, here):
        assert choose(output=Path("a/b")) == (Path("a/b"), None)
        assert Path("a/b").is_dir()

    def test_an_empty_one_is_removed_on_leaving(self, here):
        folder, _ = choose()
        leave_folder(folder)
        assert not Path("runs").exists()
        kept, left = choose()[0], choose()[0]
        (kept / "config.json").touch()
        leave_folder(left)
        assert kept.exists() and not left.exists()

    def test_what_holds_something_else_is_refused(self, here):
        Path("file").write_text("")
        make_run("done", finished=True)
        make_run("half")
        for folder, sentence in (
            ("file", "--output is file, which is a file: pass a folder"),
            ("done", "done contains a finished run: choose another --output"),
            ("half", "half contains an unfinished run: add --resume, or choose"),
        ):
            with pytest.raises(ValueError, match=sentence):
                choose(output=Path(folder))

    @pytest.mark.parametrize("path", ["a/b", "/proc/keras_gen"])
    def test_an_impossible_place_is_refused(self, here, path):
        Path("a").write_text("")
        with pytest.raises(
            OSError, match=rf"Cannot write to the folder {path} \(.+\): choose anot"
        ):
            choose(output=Path(path))

    def test_a_run_of_another_process_is_refused(self, here, other_process):
        Path("a").mkdir()
        process = other_process("a")
        with pytest.raises(ValueError, match="a is in use by another process"):
            choose(output=Path("a"))
        process.kill()
        process.wait()
        choose(output=Path("a"))

    def test_file_systems_without_locks(self, here, monkeypatch):
        def flock(file, operation):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

        monkeypatch.setattr("fcntl.flock", flock)
        folder, _ = choose()
        assert (folder / ".lock").exists()
        leave_folder(folder)
        assert not folder.exists()

    @pytest.mark.parametrize("path", ["file", "file/below/it"])
    def test_an_export_that_is_a_file_is_refused(self, here, path):
        Path("file").write_text("")
        with pytest.raises(ValueError, match=f"--export is {path}, but .*file is a file: pass"):
            choose(export=Path(path))
        assert not Path("runs").exists()

    def test_workers_that_are_not_chief_hold_nothing(self, here, monkeypatch):
        monkeypatch.setenv("TF_CONFIG", tasks(2)[1])
        assert choose(output=Path("a")) == (Path("a"), None) and not Path("a").exists()
        folder, _ = choose()
        assert not folder.exists()
        make_run("b", finished=True)
        with pytest.raises(ValueError, match="finished run"):
            choose(output=Path("b"))


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_run_that_trains_on_is_unfinished_and_keeps_its_numbers(here, interrupted):
    make_run("a", finished=True)
    Path("a/measured").mkdir()
    if interrupted:
        train_on(Path("a"), 3)
        make_run("a", finished=True)
        Path("a/measured").mkdir()
    train_on(Path("a"), 3)
    assert sorted(path.name for path in Path("a").iterdir()) == [
        "config.json", "measured-3-epochs", "metrics-3-epochs.json",
    ]  # fmt: skip


class TestResume:
    def test_resumes_the_newest_unfinished_one(self, here):
        make_run("runs/toy/20240101-000000")
        newest = make_run("runs/toy/20240102-000000", seed=7)
        make_run("runs/toy/20240103-000000", finished=True)
        make_run("runs/other/20240104-000000")
        assert choose(resume=True) == (newest, {"preset": "smoke", "seed": 7})

    def test_leaves_runs_of_other_processes_alone(self, here, other_process):
        interrupted = make_run("runs/toy/20240101-000000")
        other_process(make_run("runs/toy/20240102-000000"))
        assert choose(resume=True)[0] == interrupted

    def test_output(self, here):
        make_run("a", seed=7)
        make_run("runs/toy/20240101-000000")
        assert choose(resume=True, output=Path("a")) == (Path("a"), {"preset": "smoke", "seed": 7})

    def test_clears_what_a_killed_writer_left(self, here):
        run = make_run("runs/toy/20240101-000000")
        for partial in ("history.csv", "samples/epoch-0001.png"):
            left_by_a_killed_process(run / partial)
        (run / "my.tmp").write_text("mine")
        choose(resume=True)
        kept = sorted(str(p.relative_to(run)) for p in run.rglob("*") if p.is_file())
        assert kept == [".lock", "config.json", "my.tmp"]

    @pytest.mark.parametrize("output", [None, Path("a")])
    def test_no_run_is_refused(self, here, output):
        where = "unfinished run in runs/toy" if output is None else "run in a"
        with pytest.raises(ValueError, match=f"--resume found no {where}: leave out --resume"):
            choose(resume=True, output=output)
        assert not Path("a").exists()

    @pytest.mark.parametrize("text", ["{", "[]", '{"name": "an npm package"}'])
    def test_a_config_that_is_none_is_refused(self, here, text):
        make_run("a")
        Path("a/config.json").write_text(text)
        with pytest.raises(
            ValueError, match=r"a/config.json (is|contains|does) .+[Cc]hoose another"
        ):
            choose(resume=True, output=Path("a"))
