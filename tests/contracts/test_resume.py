"""A training that was interrupted and resumes equals the unbroken one bit for bit."""

from pathlib import Path

import pytest

from processes import run_script
from tiny import every_class


def assert_resumes(name, variant, folder):
    process = run_script(Path(__file__).with_name("resume.py"), name, variant, folder)
    assert process.returncode == 0, process.stderr[-3000:]


@pytest.mark.parametrize("name", every_class())
def test_resumed_equals_unbroken(name, tmp_path):
    assert_resumes(name, "plain", tmp_path)


# The loss scale of float16, and the state of Keras' random layers, are state too.
@pytest.mark.parametrize("variant", ["float16", "dropout"])
@pytest.mark.parametrize("name", ["VAE"])
def test_resumed_equals_unbroken_with_more_state(name, variant, tmp_path):
    assert_resumes(name, variant, tmp_path)
