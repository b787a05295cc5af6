"""Ends a program that is interrupted with one line, also while it imports; imported by programs."""

import sys
from types import TracebackType

_OTHERS = sys.excepthook


def _report(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("\ninterrupted", file=sys.stderr)
    else:
        _OTHERS(kind, error, trace)


sys.excepthook = _report
