"""The grader: compares a student's function with the library, and describes the first mistake."""

import copy
import dataclasses
import inspect
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

SEEDS = range(5)
"""Seeds with which the inputs of each exercise are generated."""
Pairs = list[tuple[np.ndarray, np.ndarray]]
"""Pairs of a found array and the expected array, one pair per seed."""

# Sentences about an incorrect result, and the functions that map the expected result to it.
_CHANGES: dict[str, Callable] = {
    "has the wrong sign": np.negative,
    "is the square of the expected result": np.square,
    "lacks a square": lambda y: np.sqrt(np.maximum(y, 0)),
    "is the reciprocal of the expected result": lambda y: 1 / y,
    "lacks a logarithm, or contains an extra exponential": np.exp,
    "contains an extra logarithm, or lacks an exponential": lambda y: np.log(
        np.maximum(y, 1e-30)
    ),
}


@dataclasses.dataclass(frozen=True)
class Exercise:
    """A function for a student to write.

    Attributes:
        chapter: Two digits of the chapter, such as "04".
        level: Difficulty and points, from 1 (one line) to 3 (several steps).
        reference: The right function. Its name, signature, and docstring are the statement of the
            exercise. Its body calls the library if the library has this function.
        inputs: Function that generates the arguments from a NumPy generator.
        mistakes: Dict from sentences that describe typical mistakes to functions with these
            mistakes.
        probe: Function that calls the student's function with the arguments, and returns the array
            or the tuple of arrays to compare.
    """

    chapter: str
    level: int
    reference: Callable
    inputs: Callable[[np.random.Generator], tuple]
    mistakes: Mapping[str, Callable]
    probe: Callable

    @property
    def name(self) -> str:
        """Name of the function to write."""
        return self.reference.__name__

    @property
    def parameters(self) -> list[str]:
        """Names of the arguments, in order."""
        return inspect.getfullargspec(self.reference).args

    def arguments(self, seed: int) -> tuple:
        """Returns the arguments for a seed, which are equal in every call."""
        return self.inputs(np.random.default_rng([seed, zlib.crc32(self.name.encode())]))

    def outputs(self, function: Callable, arguments: Iterable) -> list[np.ndarray]:
        """Returns the outputs of a function, as float64 if they are numeric."""
        found = self.probe(function, *arguments)
        return [_array(each) for each in (found if isinstance(found, tuple) else [found])]


@np.errstate(all="ignore")
def diagnose(exercise: Exercise, function: Callable) -> str:
    """Describes the first mistake in a function, in a sentence without a subject; "" if right."""
    results: list[Pairs] = []
    for seed in SEEDS:
        found = _pairs(exercise, function, exercise.arguments(seed))
        if isinstance(found, str):
            return found
        results.append(found)
    if all(_close(*pair) for pairs in results for pair in pairs):
        return ""
    for said, mistake in exercise.mistakes.items():
        if _is(exercise, mistake, results):
            return f"{said}."
    again = _pairs(exercise, function, exercise.arguments(SEEDS[0]))
    if isinstance(again, list) and not all(
        _close(after, before) for (after, _), (before, _) in zip(again, results[0], strict=True)
    ):
        return "differs from call to call: do not sample random numbers in the function."
    for place, pairs in enumerate(zip(*results, strict=True)):
        if said := _said(list(pairs)):
            if said.startswith("is wrong") and (name := _ignored(exercise, function, place)):
                said = f"does not depend on the argument `{name}`"
            return f"result {place + 1} {said}." if len(results[0]) > 1 else f"{said}."
    return ""


def _pairs(exercise: Exercise, function: Callable, arguments: tuple) -> Pairs | str:
    """Returns found and expected results, or a sentence on why a function has no results."""
    given = copy.deepcopy(arguments)
    try:
        found = exercise.outputs(function, given)
    except NotImplementedError:
        return "is not written yet."
    except (Exception, SystemExit) as error:
        return f"raises {type(error).__name__} for {_shapes(exercise, arguments)}: {error}"
    if any(_differ(a, b) for a, b in zip(arguments, given, strict=True)):
        return "changes its arguments in place: work on copies."
    expected = exercise.outputs(exercise.reference, arguments)
    if len(found) != len(expected):
        return f"returns {len(found)} results: expected {len(expected)}, as a tuple."
    if any(each.dtype.kind == "c" for each in found):
        return "returns complex numbers: expected real numbers."
    if any(each.dtype != np.float64 for each in found):
        return "returns no numbers: expected an array. Check `return`."
    return list(zip(found, expected, strict=True))


def _array(output: Any) -> np.ndarray:
    """Returns an output as float64, or unchanged if it is not numeric."""
    array = np.asarray(output)
    return array.astype(np.float64) if array.dtype.kind in "biuf" else array


def _shapes(exercise: Exercise, arguments: tuple) -> str:
    shaped = zip(exercise.parameters, arguments, strict=True)
    shown = [f"{name} {list(np.shape(x))}" for name, x in shaped if hasattr(x, "shape")]
    return f"arrays of shapes {', '.join(shown)}" if shown else "numbers"


def _differ(a: Any, b: Any) -> bool:
    return isinstance(a, np.ndarray) and not np.array_equal(a, b, equal_nan=True)


def _close(found: np.ndarray, expected: np.ndarray) -> bool:
    if found.shape != expected.shape:
        return False
    scale = np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    return np.allclose(found, expected, rtol=1e-4, atol=1e-4 * scale + 1e-7, equal_nan=True)


def _is(exercise: Exercise, mistake: Callable, results: list[Pairs]) -> bool:
    """Returns whether a typical mistake gives the same results."""
    for seed, pairs in zip(SEEDS, results, strict=True):
        made = exercise.outputs(mistake, exercise.arguments(seed))
        if not all(_close(found, each) for (found, _), each in zip(pairs, made, strict=True)):
            return False
    return True


def _said(pairs: Pairs) -> str:
    """Describes what is wrong with one result in the most specific statement that applies."""
    if all(_close(*pair) for pair in pairs):
        return ""
    if not all(np.isfinite(found).all() for found, _ in pairs):
        return "contains NaN or infinite values: check divisions, logarithms, and large numbers"
    if any(found.shape != expected.shape for found, expected in pairs):
        return _said_of_shapes(pairs)
    for said, change in _CHANGES.items():
        if all(_close(found, change(expected)) for found, expected in pairs):
            return said
    if all(_close(found.T, expected) for found, expected in pairs):
        return "is transposed"
    return _said_of_values(pairs)


def _said_of_shapes(pairs: Pairs) -> str:
    found, expected = next((a, b) for a, b in pairs if a.shape != b.shape)
    if all(_close(a.T, b) for a, b in pairs):
        return "is transposed"
    said = f"has the shape {list(found.shape)}: expected {list(expected.shape)}"
    if found.size == expected.size:
        return f"{said}, with an axis of length 1 added or removed"
    if found.ndim > expected.ndim:
        return f"{said}, so a sum or a mean over an axis is missing"
    if found.ndim < expected.ndim:
        return f"{said}, so a sum or a mean covers one axis too many"
    return said


def _said_of_values(pairs: Pairs) -> str:
    """Describes wrong values that have the right shape and that no simple change explains."""
    found, expected = (np.concatenate(list(map(np.ravel, x))) for x in zip(*pairs, strict=True))
    if (factor := _factor(found, expected)) and _close(found, factor * expected):
        return f"is too {'large' if factor > 1 else 'small'} by a constant factor"
    if _close(found - expected, np.full_like(found, np.mean(found - expected))):
        return "differs by a constant: a term is missing, superfluous, or wrong"
    factors = [_factor(np.ravel(a), np.ravel(b)) for a, b in pairs]
    scaled = zip(factors, pairs, strict=True)
    if all(_close(a, factor * b) for factor, (a, b) in scaled) and found.size > len(pairs):
        return "is wrong by a factor that depends on the sizes: compare sums with means"
    shifts = [(a - b, np.full_like(a, np.mean(a - b))) for a, b in pairs]
    if all(_close(*shift) for shift in shifts) and found.size > len(pairs):
        return "differs by a constant that depends on the sizes or numbers"
    if np.allclose(found, expected, rtol=0.1, atol=0.05 * np.max(np.abs(expected))):
        return "is slightly wrong: a small term is missing, superfluous, or wrong"
    right = np.isclose(found, expected, rtol=1e-4, atol=1e-4 * np.max(np.abs(expected)))
    if right.any():
        return f"is wrong for {np.mean(~right):.0%} of the values and right for the others"
    return "is wrong for all values: derive the formula once more, term by term"


def _factor(found: np.ndarray, expected: np.ndarray) -> float:
    """Returns the factor between results that fits best, or 0 if no factor fits."""
    square = float(expected @ expected)
    return float(found @ expected) / square if square > 0 else 0.0


def _ignored(exercise: Exercise, function: Callable, place: int) -> str:
    """Returns the name of an argument that a function ignores although the reference uses it."""
    arguments = exercise.arguments(SEEDS[0])
    for number, name in enumerate(exercise.parameters):
        changed = list(arguments)
        if not isinstance(value := arguments[number], np.ndarray) or value.size < 2:
            continue
        changed[number] = np.roll(value.ravel(), 1).reshape(value.shape)
        try:
            found = [_pairs(exercise, function, some) for some in (arguments, tuple(changed))]
        except ValueError:
            continue  # The reference rejects the change, such as rows that no longer add up to 1.
        results = [pairs for pairs in found if not isinstance(pairs, str)]
        if len(results) < len(found):
            continue  # the function raises an error, perhaps because of its earlier calls
        before, after = (pairs[place] for pairs in results)
        if _close(after[0], before[0]) and not _close(after[1], before[1]):
            return name
    return ""
