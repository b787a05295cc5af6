"""The grader accepts right answers, and names the mistake in wrong answers."""

import importlib.util
import inspect
from collections import Counter

import numpy as np
import pytest

from keras_gen import course
from keras_gen.course.checks import find
from keras_gen.course.exercises import EXERCISES
from keras_gen.course.grading import SEEDS, Exercise, diagnose
from processes import ROOT

PATH = ROOT / "docs" / "teachers" / "answers.py"
SPEC = importlib.util.spec_from_file_location("answers", PATH)
ANSWERS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(ANSWERS)
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda each: each.name)


def changed(change, function):
    """A function whose results are changed."""

    def wrong(*arguments):
        found = function(*arguments)
        return tuple(map(change, found)) if isinstance(found, tuple) else change(found)

    return wrong


# What may be wrong with any result, and a word of the message.
WRONG = {
    "sign": lambda y: -np.asarray(y, float),
    "factor": lambda y: 3 * np.asarray(y, float),
    "constant": lambda y: np.asarray(y, float) + 0.7,
    "NaN": lambda y: np.asarray(y, float) * np.nan,
    "shape": lambda y: np.asarray(y)[None],
    "no numbers": lambda y: None,
}
REVERSED = ("straight_through", "gradient_reversal")  # need the gradient of tensors


def test_each_chapter_has_exercises_of_growing_difficulty():
    counts = Counter(each.chapter for each in EXERCISES)
    chapters = {path.name[:2] for path in (ROOT / "docs" / "course").glob("[0-9]*.py")}
    assert counts.keys() <= chapters and len(counts) >= 14
    assert set(counts.values()) <= {3, 4, 5}
    assert len({each.name for each in EXERCISES}) == len(EXERCISES)
    for chapter in counts:
        levels = [each.level for each in find(chapter)]
        assert levels == sorted(levels) and levels[0] == 1 and levels[-1] == 3


@pytest.mark.thorough
@each_exercise
def test_the_answer_for_teachers_is_right(exercise):
    answer = getattr(ANSWERS, exercise.name)
    assert inspect.signature(answer) == inspect.signature(exercise.reference)
    assert diagnose(exercise, answer) == ""


@pytest.mark.thorough
@each_exercise
def test_typical_mistakes_are_named(exercise):
    assert len(exercise.mistakes) >= 5
    for said, mistake in exercise.mistakes.items():
        assert diagnose(exercise, mistake) == f"{said}."


@pytest.mark.thorough
@each_exercise
def test_the_type_of_any_mistake_is_named(exercise):
    if exercise.name in REVERSED:
        return
    for word, change in WRONG.items():
        said = diagnose(exercise, changed(change, exercise.reference))
        assert word in said or said[:-1] in exercise.mistakes, word


def toy(reference, mistakes=(), *inputs) -> Exercise:
    def make(r):
        return r.normal(size=(3, 3)), r.normal(size=(3, 3))

    called = lambda f, *arguments: f(*arguments)  # noqa: E731
    return Exercise("01", 1, reference, make, dict(mistakes), called)


def raises(a, b):
    raise KeyError("size")


def unwritten(a, b):
    raise NotImplementedError


def in_place(a, b):
    a += b
    return a


def leaves(a, b):
    raise SystemExit(3)


def after_the_first_inputs(result):
    """A wrong function whose sixth call returns the result, or raises it."""
    calls = iter(range(10))

    def wrong(a, b):
        if next(calls) < len(SEEDS):
            return a * b
        if isinstance(result, BaseException):
            raise result
        return result

    return wrong


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (leaves, "raises SystemExit for arrays of shapes a [3, 3], b [3, 3]: 3"),
        (lambda a, b: a * 1j, "returns complex numbers: expected real numbers."),
        (lambda a, b: [[1], [1, 2]], "raises ValueError for arrays of shapes a [3, 3], b [3, 3]"),
        *(
            (after_the_first_inputs(result), "is wrong for all values")
            for result in (KeyError("late"), NotImplementedError(), SystemExit(), (), None, 1j)
        ),
        (unwritten, "is not written yet."),
        (raises, "raises KeyError for arrays of shapes a [3, 3], b [3, 3]: 'size'"),
        (in_place, "changes its arguments in place: work on copies."),
        (lambda a, b: (a, b), "returns 2 results: expected 1, as a tuple."),
        (lambda a, b: "text", "returns no numbers: expected an array."),
        (lambda a, b: (a + 2 * b).T, "is transposed."),
        (lambda a, b: (a + 2 * b) ** 2, "is the square of the expected result."),
        (lambda a, b: np.exp(a + 2 * b), "lacks a logarithm, or contains an extra exponential."),
        (lambda a, b: 1 / (a + 2 * b), "is the reciprocal of the expected result."),
        (lambda a, b: (a + 2 * b) * 0.1, "is too small by a constant factor."),
        (lambda a, b: (a + 2 * b) * a.max(), "is wrong by a factor that depends on the sizes"),
        (lambda a, b: a + 2 * b + a.max(), "differs by a constant that depends on the sizes"),
        (lambda a, b: (a + 2 * b).sum(0), "has the shape [3]: expected [3, 3], so a sum"),
        (lambda a, b: (a + 2 * b)[..., None], "with an axis of length 1 added or removed."),
        (lambda a, b: np.stack([a, b]), "so a sum or a mean over an axis is missing."),
        (lambda a, b: a, "does not depend on the argument `b`."),
        (lambda a, b: a + 2 * b * (np.arange(3) > 0), "is wrong for 33% of the values"),
        (lambda a, b: (a + 2 * b) * (1 + 0.01 * b), "is slightly wrong"),
        (lambda a, b: a * b, "is wrong for all values"),
        (
            lambda a, b: a + np.random.default_rng().normal(size=b.shape),
            "differs from call to call",
        ),
        (lambda a, b: a + 2 * b + 1e-9, ""),
    ],
)
def test_what_the_grader_says(function, said):
    found = diagnose(toy(lambda a, b: a + 2 * b), function)
    assert said in found and bool(found) == bool(said)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


@pytest.mark.parametrize(
    ("name", "function", "said"),
    [
        ("nonsaturating_loss", lambda f: softplus(-f), ""),
        (
            "nonsaturating_loss",
            lambda f: np.log(1 + np.exp(-f)),
            "is infinite for logits near -100",
        ),
        ("discriminator_loss", lambda a, b: softplus(-a) + softplus(b), ""),
        ("log_bernoulli", lambda a, x: -np.sum(softplus(np.where(x, -a, a)), 1), ""),
        ("jensen_shannon", lambda p, q: mean_kl(p, q) / 2 + mean_kl(q, p) / 2, ""),
        ("jensen_shannon", lambda p, q: (p * np.log(p / q)).sum(), "contains NaN or infinite"),
        ("v_target", lambda x, e, a: a * e - np.sqrt(1 - a**2) * x, "takes alpha-bar for alpha"),
        (
            "example_of_v",
            lambda x, v, a: a * x - np.sqrt(1 - a**2) * v,
            "takes alpha-bar for alpha",
        ),
    ],
)
def test_extreme_values_and_notation(name, function, said):
    (exercise,) = [each for each in EXERCISES if each.name == name]
    found = diagnose(exercise, function)
    assert found.startswith(said) and bool(found) == bool(said)


def mean_kl(p, q):
    with np.errstate(divide="ignore"):
        return np.sum(np.where(p > 0, p * np.log(np.maximum(p, 1e-30) / (p + q) * 2), 0))


def test_check_prints_and_returns_the_verdict(capsys):
    assert course.check("04", "kl", ANSWERS.kl)
    assert not course.check("04", "kl", lambda mean, log_variance: 2 * mean)
    right, wrong = capsys.readouterr().out.splitlines()
    assert right == "kl: right." and wrong.startswith("kl: has the shape [")


@each_exercise
def test_wrong_constants_do_not_end_the_grading(exercise, capsys):
    course.grade(exercise.chapter, {exercise.name: lambda *arguments: 0.0})
    assert f"{exercise.name}: " in capsys.readouterr().out


def test_grade_goes_on_after_wrong_functions(capsys):
    wrong = {"reparameterized": None, "log_bernoulli": leaves, "kl_between": "text"}
    assert course.grade("04", wrong | {"kl": ANSWERS.kl})["kl"] == 2
    assert capsys.readouterr().out.splitlines() == [
        "reparameterized: is not a function.",
        "kl: right.",
        "log_bernoulli: raises SystemExit for arrays of shapes logits [5, 8], x [5, 8]: 3",
        "kl_between: is not a function.",
        "2 of 8 points",
    ]


@pytest.mark.parametrize("functions", [None, [], abs])
def test_grade_expects_functions_by_name(functions):
    with pytest.raises(TypeError, match=r"functions is .*: expected a dictionary .* globals\(\)"):
        course.grade("04", functions)


def test_grade_counts_the_points_of_right_functions(capsys):
    points = course.grade("04", {"kl": ANSWERS.kl, "kl_between": lambda a, v, b, w: a, "x": 1})
    assert points == {"reparameterized": 0, "kl": 2, "log_bernoulli": 0, "kl_between": 0}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "reparameterized: is missing." and lines[-1] == "2 of 8 points"


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (("40", "kl", abs), ValueError, r"chapter is '40': expected one of '01', .*'15', .*\."),
        ((4, "kl", abs), ValueError, "chapter is 4: expected one of '01'"),
        (("04", "lk", abs), ValueError, "name is 'lk': expected an exercise of chapter 04 ..rep"),
        ((np.array(["04", "05"]), "kl", abs), ValueError, "chapter is ndarray of shape .2,."),
        (("04", None, abs), ValueError, "name is None: expected an exercise of chapter 04 ..rep"),
        (("04", ["kl"], abs), ValueError, "name is .'kl'.: expected an exercise of chapter 04"),
        (("04", "kl", 3), TypeError, "function is 3: expected a function"),
    ],
)
def test_wrong_calls_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        course.check(*call)
