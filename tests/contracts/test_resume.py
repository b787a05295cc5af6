"""A training that was interrupted and resumes equals the unbroken one bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tiny import every_class

ROOT = Path(__file__).resolve().parents[2]


def assert_resumes(name, variant, folder):
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    script = Path(__file__).with_name("resume.py")
    process = subprocess.run(
        [sys.executable, script, name, variant, folder],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr[-3000:]


@pytest.mark.parametrize("name", every_class())
def test_resumed_equals_unbroken(name, tmp_path):
    assert_resumes(name, "plain", tmp_path)


# The loss scale of float16, and the state of Keras' random layers, are state too.
@pytest.mark.parametrize("variant", ["float16", "dropout"])
@pytest.mark.parametrize("name", ["VAE"])
def test_resumed_equals_unbroken_with_more_state(name, variant, tmp_path):
    assert_resumes(name, variant, tmp_path)
