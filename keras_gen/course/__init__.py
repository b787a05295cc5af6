"""Exercises for the chapters of the course, and the grader that checks them.

`check("04", "kl", kl)` compares a student's function with the library on inputs that the student
does not see, and describes the first mistake without revealing the solution. The notebooks in
`docs/course/assignments` contain the exercises.
"""

from keras_gen.course.checks import check, grade

__all__ = ["check", "grade"]
