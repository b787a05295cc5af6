"""When imported, makes an interrupted program end with one line, even during imports."""

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
