"""Ends an interrupted program with a one-line message, even during imports, once imported."""

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
