"""Functions that notebooks call to check one exercise or all exercises of a chapter."""

from collections.abc import Callable, Mapping
from typing import Any

from keras_gen.arguments import shown
from keras_gen.course.exercises import EXERCISES
from keras_gen.course.grading import Exercise, diagnose


def check(chapter: str, name: str, function: Callable) -> bool:
    """Compares a function with the library, and prints that it is right or what is wrong.

    An error in the function is described, too. There is no time limit: interrupt a function that
    does not end.

    Args:
        chapter: Two digits of the chapter, such as "04".
        name: Name of the exercise, such as "kl".
        function: Function to check.

    Returns:
        Whether the function is right for all inputs.

    Raises:
        TypeError: If `function` is not callable.
        ValueError: If the exercise does not exist.

    Example:
        >>> check("04", "kl", lambda mean, log_variance: mean)
        kl: has the shape [5, 6]: expected [5], so a sum or a mean over an axis is missing.
        False
    """
    exercises = {each.name: each for each in find(chapter)}
    if not isinstance(name, str) or name not in exercises:
        raise ValueError(
            f"name is {shown(name)}: expected an exercise of chapter {chapter} "
            f"({', '.join(map(repr, exercises))})."
        )
    if not callable(function):
        raise TypeError(
            f"function is {shown(function)}: expected a function. Pass the function itself, "
            "without calling it."
        )
    said = diagnose(exercises[name], function)
    print(f"{name}: {said or 'right.'}")
    return not said


def grade(chapter: str, functions: Mapping[str, Any]) -> dict[str, int]:
    """Checks all exercises of a chapter, and prints the points.

    A missing or wrong function yields 0 points, and the other functions are still checked. There is
    no time limit, as in `check`.

    Args:
        chapter: Two digits of the chapter, such as "04".
        functions: Dict from the names of exercises to functions, such as `globals()` in a notebook.
            Names that are not exercises are ignored.

    Returns:
        A dict that maps each exercise to its points: the exercise's level if the function is right,
        and 0 otherwise.

    Raises:
        TypeError: If `functions` is not a mapping.
        ValueError: If the chapter does not exist.

    Example:
        >>> grade("04", {})
        reparameterized: is missing.
        kl: is missing.
        log_bernoulli: is missing.
        kl_between: is missing.
        0 of 8 points
        {'reparameterized': 0, 'kl': 0, 'log_bernoulli': 0, 'kl_between': 0}
    """
    exercises = find(chapter)
    if not isinstance(functions, Mapping):
        raise TypeError(
            f"functions is {shown(functions)}: expected a dictionary of functions by name. "
            "Pass globals()."
        )
    points = {}
    for exercise in exercises:
        points[exercise.name] = 0
        if exercise.name not in functions:
            print(f"{exercise.name}: is missing.")
        elif not callable(functions[exercise.name]):
            print(f"{exercise.name}: is not a function.")
        elif check(chapter, exercise.name, functions[exercise.name]):
            points[exercise.name] = exercise.level
    print(f"{sum(points.values())} of {sum(each.level for each in exercises)} points")
    return points


def find(chapter: str) -> list[Exercise]:
    """Returns the exercises of a chapter.

    Raises:
        ValueError: If the chapter does not exist.
    """
    found = [each for each in EXERCISES if isinstance(chapter, str) and each.chapter == chapter]
    if not found:
        chapters = ", ".join(repr(each) for each in sorted({each.chapter for each in EXERCISES}))
        raise ValueError(f"chapter is {shown(chapter)}: expected one of {chapters}.")
    return found
