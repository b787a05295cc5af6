"""Paths between points of latent space."""

import math

import numpy as np

from keras_gen.arguments import checked_integer


def path(start: np.ndarray, end: np.ndarray, steps: int, spherical: bool = False) -> np.ndarray:
    """Returns points at even distances from `start` to `end`, float32 `[n, steps, ...]`.

    Args:
        start: Latents `[n, ...]`.
        end: Latents of the same shape.
        steps: Points, at least 2; both ends are included.
        spherical: Whether by `slerp`, of the latents as vectors, and not by `line`.

    Raises:
        TypeError: If `steps` is no integer.
        ValueError: If the shapes differ, `steps` is below 2, or as `slerp`.

    Example:
        >>> path(np.zeros([1, 1]), np.ones([1, 1]), steps=3)[0, :, 0]
        array([0. , 0.5, 1. ], dtype=float32)
    """
    if np.shape(start) != np.shape(end):
        raise ValueError(
            f"a has shape {np.shape(start)} and b {np.shape(end)}: expected the same."
        )
    steps = checked_integer("steps", steps, minimum=2)
    between = slerp if spherical else line
    shape = np.shape(start)
    size = math.prod(shape[1:])
    start = np.reshape(start, [-1, size])
    end = np.reshape(end, [-1, size])
    points = [between(start, end, t) for t in np.linspace(0.0, 1.0, steps)]
    return np.stack(points, axis=1).reshape(len(start), steps, *shape[1:]).astype("float32")


def line(start: np.ndarray, end: np.ndarray, t) -> np.ndarray:
    """Returns the points at the fraction t (a number or `[n, 1]`) of the lines between `[n, d]`."""
    return (1 - t) * start + t * end


def great_circle(start: np.ndarray, end: np.ndarray, t) -> np.ndarray:
    """Returns unit vectors from the direction of `start` to that of `end` at an even speed.

    Shoemake: "Animating Rotation with Quaternion Curves", SIGGRAPH 1985. Arguments and errors are
    those of `slerp`.
    """
    start_length = np.linalg.norm(start, axis=1, keepdims=True)
    end_length = np.linalg.norm(end, axis=1, keepdims=True)
    start = start / np.maximum(start_length, 1e-300)
    end = end / np.maximum(end_length, 1e-300)
    cosine = np.sum(start * end, axis=1, keepdims=True)
    across = end - cosine * start
    sine = np.linalg.norm(across, axis=1, keepdims=True)
    shortest = np.minimum(start_length, end_length)
    nowhere = (shortest == 0) | ((sine < 1e-9) & (cosine < 0))
    if nowhere.any():
        raise ValueError(
            f"There are {nowhere.sum()} of {len(start)} pairs of latents that no one "
            "great circle "
            "joins, opposite ones or with one of zeros: draw latents of 2 or more "
            "dimensions from a normal distribution, or leave out spherical."
        )
    angle = t * np.arctan2(sine, cosine)
    # Where the two point the same way, the path stays where it is.
    return np.cos(angle) * start + np.sin(angle) * across / np.maximum(sine, 1e-300)


def slerp(start: np.ndarray, end: np.ndarray, t) -> np.ndarray:
    """Returns points whose direction moves on a great circle and length on a line, `[n, d]`.

    Latents of a Normal prior in many dimensions have about the same length; the middle of the line
    between two is shorter (White: "Sampling Generative Networks", 2016).

    Args:
        start: Latents `[n, d]`.
        end: Latents `[n, d]`.
        t: Fraction of the way, a number or `[n, 1]`.

    Raises:
        ValueError: If two points are opposite, or one is the origin.

    Example:
        >>> slerp(np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]), 0.5).round(6)
        array([[1.414214, 1.414214]])
    """
    start = np.asarray(start, np.float64)
    end = np.asarray(end, np.float64)
    from_length = np.linalg.norm(start, axis=1, keepdims=True)
    to_length = np.linalg.norm(end, axis=1, keepdims=True)
    return great_circle(start, end, t) * line(from_length, to_length, t)


def decoded_path(decode, a, b, steps: int, spherical: bool = False, **given):
    """Decodes points on the path between codes `[n, ...]`: `[n, steps, ...]`, or a tuple of such.

    `decode` is a capability; `given` are its further arguments, one for each pair or for all. The
    other arguments and the errors are those of `path`.
    """
    points = path(a, b, steps, spherical)
    given = {k: np.repeat(v, steps, axis=0) if np.ndim(v) else v for k, v in given.items()}
    decoded = decode(points.reshape(-1, *points.shape[2:]), **given)
    several = isinstance(decoded, tuple)
    parts = [np.asarray(part) for part in (decoded if several else (decoded,))]
    shaped = tuple(part.reshape(*points.shape[:2], *part.shape[1:]) for part in parts)
    return shaped if several else shaped[0]
