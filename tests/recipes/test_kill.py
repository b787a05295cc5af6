"""Runs that are killed without warning, again and again, end as if nothing had happened."""

import itertools
import json
import signal
import subprocess
import time

import numpy as np
import pytest

from forked import run, run_killed, start
from keras_gen.files.images import read_image
from processes import environment, event_steps, tasks

pytestmark = pytest.mark.slow
EPOCHS = 5
FLAGS = {"gan_fields": ["--steps-per-epoch", 2], "vae_mnist": ["--steps-per-epoch", 2]}
# What a process is about to do when it is killed, and to which file.
MOMENTS = {
    "gan_fields": [("os.rename", "*/.state-000002.npz.*"), ("os.remove", "*/.state-000003.npz.*")],
    "vae_mnist": [
        ("open", "*/.config.json.*"),  # there is no run yet
        ("os.remove", "*/.config.json.*"),  # it is in place, and nothing trained
        ("os.rename", "*/.state-000002.npz.*"),  # a checkpoint is half-written
        ("os.remove", "*/.state-000003.npz.*"),  # it is in place, and nothing that follows it
        ("os.rename", "*/.epoch-0005.png.*"),
        ("os.remove", "*/state-000003.npz"),  # what the last checkpoint leaves over
        ("os.rename", "*/export/*"),
        ("open", "*/.metrics.json.*"),  # all is done, and not said
    ],
}
SILENT = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
LOSS = {"vae_mnist": "epoch_loss"}


def wait_for(condition, process):
    """Until the condition comes true, or the process ends."""
    while process.poll() is None and not condition():
        time.sleep(0.0005)


def checkpoints(folder):
    return set((folder / "checkpoints").glob("state-*.npz"))


def load(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("recipe", MOMENTS)
def test_a_killed_run_ends_as_the_unbroken_one(recipe, tmp_path):
    common = ["--preset", "smoke", "--deterministic", "--epochs", EPOCHS, *FLAGS[recipe]]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    result = run(recipe, *common, "--output", "whole", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    common += ["--output", "killed"]
    for moment in MOMENTS[recipe]:
        resume = ["--resume"] if (killed / "config.json").exists() else []
        result = run_killed(recipe, *common, *resume, at=moment, cwd=tmp_path)
        assert result.returncode == -signal.SIGKILL, (moment, result.stderr)
    result = run(recipe, *common, "--resume", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "" and "resuming after epoch" in result.stdout

    name = f"checkpoints/state-{EPOCHS:06d}.npz"
    one, other = load(whole / name), load(killed / name)
    assert set(one) == set(other)
    for key in set(one) - {"meta"}:
        np.testing.assert_array_equal(one[key], other[key], strict=True)
    meta = [json.loads(str(state["meta"])) for state in (one, other)]
    assert meta[0].pop("run") != meta[1].pop("run")
    assert meta[0] == meta[1] and len(meta[0]["logs"]) == EPOCHS

    assert (whole / "history.csv").read_bytes() == (killed / "history.csv").read_bytes()
    for file in (
        "sample_grid.png",
        "losses.png",
        *(f"samples/epoch-{epoch + 1:04d}.png" for epoch in range(EPOCHS)),
    ):
        # Not their bytes, which name the run.
        pixels = [read_image(folder / file) for folder in (whole, killed)]
        np.testing.assert_array_equal(*pixels, err_msg=file)
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (whole, killed)]
    assert metrics[1].pop("resumed")
    assert metrics[0] | {"minutes": 0} == metrics[1] | {"minutes": 0}

    tag = LOSS.get(recipe, "epoch_g_loss")
    assert event_steps(whole, tag) == list(range(EPOCHS))
    steps = event_steps(killed, tag)
    assert set(steps) == set(range(EPOCHS))
    # An epoch shows twice only where it was run twice.
    assert len(steps) - EPOCHS <= len(MOMENTS[recipe])
    assert all(later - earlier in (0, 1) for earlier, later in itertools.pairwise(steps))

    assert [path.name for path in sorted((killed / "checkpoints").iterdir())] == [
        f"state-{epoch:06d}.npz" for epoch in (EPOCHS - 1, EPOCHS)
    ]
    assert not list(killed.rglob("*.tmp")) and not (killed / ".lock").exists()


def test_an_interrupt_says_how_to_go_on(tmp_path):
    flags = ["--preset", "smoke", "--epochs", 1000, "--output", "out"]

    def heed():
        # Shells let what they start in the background ignore interrupts, and so its children.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = start("vae_mnist", *flags, cwd=tmp_path, preexec_fn=heed)
    wait_for(lambda: checkpoints(tmp_path / "out"), process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    again = "resume with python recipes/vae_mnist.py --resume --output out"
    assert err.splitlines()[-1] == f"interrupted: {again}"
    assert process.returncode == 1 and "Traceback" not in err


def test_two_processes_do_not_share_a_run(tmp_path):
    flags = ["--preset", "smoke", "--epochs", 1000, "--output", "out"]
    process = start("vae_mnist", *flags, cwd=tmp_path, **SILENT)
    try:
        wait_for(lambda: (tmp_path / "out" / "config.json").exists(), process)
        second = run("vae_mnist", *flags, "--resume", cwd=tmp_path)
        assert second.returncode == 1 and process.poll() is None
        assert "out is in use by another process" in second.stderr.splitlines()[-1]
    finally:
        process.kill()
        process.communicate()


def test_workers_train_a_recipe_together_and_go_on_after_a_kill(tmp_path):
    """Two processes on this machine, the first of which writes."""
    flags = ["--preset", "smoke", "--epochs", 4, "--mixed-precision", "none", "--output"]

    def train(output, *more, kill=False):
        workers = (environment() | {"TF_CONFIG": task} for task in tasks(2))
        processes = [
            start("vae_mnist", *flags, output, *more, cwd=tmp_path, env=env) for env in workers
        ]
        try:
            if kill:
                wait_for(lambda: checkpoints(tmp_path / output), processes[0])
            else:
                outputs = [process.communicate(timeout=300) for process in processes]
                assert [process.returncode for process in processes] == [0, 0], outputs
                return [out for out, _ in outputs]
        finally:
            for process in processes:
                process.kill()
                process.communicate()

    outputs = train("whole")
    assert "with 2 replicas" in outputs[0] and outputs[1] == ""
    train("killed", kill=True)
    outputs = train("killed", "--resume")
    assert "resuming after epoch" in outputs[0] and outputs[1] == ""
    one, other = (
        load(tmp_path / folder / "checkpoints" / "state-000004.npz")
        for folder in ("whole", "killed")
    )
    for key in set(one) - {"meta"}:
        np.testing.assert_allclose(one[key], other[key], rtol=1e-5, atol=1e-6)
    assert (tmp_path / "killed" / "export" / "vae_mnist" / "1").is_dir()
