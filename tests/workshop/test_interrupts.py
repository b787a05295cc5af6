"""Programs that are interrupted while they import."""

import pytest

from processes import python

INTERRUPT = """
import sys

class Finder:
    def find_spec(self, name, *_):
        if name == {name!r}:
            raise {error}

sys.meta_path.insert(0, Finder())
import {program}
"""


@pytest.mark.parametrize(
    ("program", "name"),
    [("keras_gen.workshop.cli", "PIL"), ("keras_gen.workshop.run.run", "keras")],
)
def test_an_interrupt_is_one_line(program, name):
    def ended(error):
        script = INTERRUPT.format(name=name, error=error, program=program)
        return python("-c", script)

    interrupted = ended("KeyboardInterrupt")
    assert interrupted.stderr == "\ninterrupted\n"
    assert interrupted.returncode not in (0, 1)
    failed = ended("ValueError('a')")
    assert "Traceback" in failed.stderr and failed.stderr.endswith("ValueError: a\n")
