"""A training that was interrupted and resumes equals the unbroken one bit for bit."""

from pathlib import Path

import pytest

from contracts.resume import resumes, twice
from forked import run_script
from tiny import PATTERNS


def test_a_model_resumes_its_own_training(trained, tmp_path):
    name = type(trained.model).__name__

    def resumes_from_the_start(folder):
        resumes(trained.reset().model, name, folder)

    twice(resumes_from_the_start, tmp_path / name)


# Another model, in another process. The loss scale of float16, and the state of Keras' random
# layers, are state too.
@pytest.mark.parametrize(
    ("variant", "name"),
    [*(("plain", name) for name in PATTERNS), ("float16", "VAE"), ("dropout", "VAE")],
)
def test_another_model_resumes(variant, name, tmp_path):
    script = Path(__file__).with_name("resume.py")
    process = run_script(script, variant, tmp_path, name)
    assert process.returncode == 0, process.stdout + process.stderr[-3000:]
