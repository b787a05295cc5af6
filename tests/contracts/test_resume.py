"""A training that was interrupted and resumes equals the unbroken one bit for bit."""

from pathlib import Path

import pytest

from processes import run_script
from tiny import PATTERNS, families


def assert_resumes(variant, folder, *names):
    process = run_script(Path(__file__).with_name("resume.py"), variant, folder, *names)
    assert process.returncode == 0, process.stdout + process.stderr[-3000:]


@pytest.mark.parametrize("name", PATTERNS)
def test_resumed_equals_unbroken(name, tmp_path):
    assert_resumes("anew", tmp_path, name)


@pytest.mark.slow
@pytest.mark.parametrize("names", families().values(), ids=families())
def test_all_of_a_family_resume(names, tmp_path):
    assert_resumes("again", tmp_path, *names)


# The loss scale of float16, and the state of Keras' random layers, are state too.
@pytest.mark.parametrize("variant", ["float16", "dropout"])
def test_resumed_equals_unbroken_with_more_state(variant, tmp_path):
    assert_resumes(variant, tmp_path, "VAE")
