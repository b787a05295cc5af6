"""Checks requests to the page of `keras-gen demo`. Requires FastAPI and uvicorn."""

import asyncio
import contextlib
import json
import logging
import os
import re
import sys
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

UPLOAD = "/gradio_api/upload"
# Paths of pages that serve a file, followed by the file's path.
FILE = ("/gradio_api/file=", "/gradio_api/file/")
DEEP_LINK = "/gradio_api/deep_link"  # saves a visitor's view to a permanent file
# Gradio paths that the page does not use.
CLOSED = (
    DEEP_LINK,
    "/openapi.json",
    "/gradio_api/openapi.json",
    "/gradio_api/dev/reload",
    "/gradio_api/upload_progress",  # keeps the name of each upload, even if none exists
)
FORM = 2**20  # maximum bytes of a request in addition to its file
EVENT = 2**16  # maximum bytes of any other request; parsed JSON uses 30 times as much memory
# Number of maximum-size uploads read at once, or the same number of bytes in smaller uploads.
UPLOADS = 4
EVENTS = 2**24  # maximum bytes of other requests read at once
SESSION = 64  # maximum characters in a session name, which Gradio keeps after its events end
SECONDS = 60  # maximum time to read a request, in seconds
HEADERS = 10  # seconds between two checks of an idle connection
# Maximum number of connections. Each connection may also read a file, and the usual limit is
# 1,024 open files per process.
CONNECTIONS = 400
OF_ONE_ADDRESS = 200  # maximum number of connections per address
UNREAD = 100  # number of unread messages after which a visitor's further events are rejected
HEAD = 2**14  # maximum bytes of a request's headers
# Maximum number of lines in an upload that begin like a boundary, which a parser reads slowly.
BOUNDARIES = 100
PIECE = 2**16  # bytes of a body that Gradio parses before others are served
PATHS = 16  # maximum number of files named in one request
LINES = 20  # maximum number of errors logged per minute, one line each
# Values of Host headers for this machine, with or without a port.
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
# Limits of the upload folder, in which the oldest files are deleted first.
KEPT_FILES = 500
KEPT_BYTES = 2**30


class Guard:
    """Rejects requests that are too large, too slow, or too many, or that name forbidden files.

    The page may only use files that were uploaded to it or created by it. However, before a
    function receives a request, Gradio copies each file named in the request to the folder that the
    page serves, and fetches each URL. Gradio also writes uploads to disk as they arrive, and does
    not delete incomplete uploads. Therefore, requests are checked before they reach Gradio.

    Args:
        app: The page to protect.
        uploads: Upload folder, in which Gradio also stores the images that the page shows.
        most: Maximum size of an upload in bytes. A request contains at most one upload.
        local: Whether only this machine uses the page. If True, requests must use a host name that
            no other site can have.
        unread: Function that maps the name of a session to the session's number of unread messages.
    """

    def __init__(
        self,
        app: ASGIApp,
        uploads: Path,
        most: int,
        local: bool,
        unread: Callable[[str], int] = lambda visitor: 0,
    ):
        self.app = app
        self.uploads = uploads
        self.largest = most + FORM
        self.local = local
        self.unread = unread
        # Bytes of requests in progress, for uploads (True) and other requests (False).
        self.held = {True: 0, False: 0}
        self.uploading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes accepted requests to the page, and responds to all others with an error."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        is_upload = scope["path"] == UPLOAD
        if is_upload:
            scope = {**scope, "query_string": b""}  # Gradio would keep the name of each upload
        request = Request(scope, receive)
        body = bytearray()
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._check(request, body, is_upload)
            if request.method == "POST":
                receive = _again(bytes(body), receive)
            async with self._upload() if is_upload else contextlib.nullcontext():
                await self.app(scope, receive, noted)
        except HTTPException as refused:
            answer = JSONResponse({"detail": refused.detail}, refused.status_code)
            await answer(scope, receive, send)
        except ClientDisconnect:
            pass
        except Exception as error:  # Gradio raises errors of many types for malformed requests
            _log(f"{request.method} {request.scope['path']!a:.100}", error)
            if not started:
                await JSONResponse({"detail": "the request failed."}, 500)(scope, receive, send)
        finally:
            self.held[is_upload] -= len(body)

    @contextlib.asynccontextmanager
    async def _upload(self) -> AsyncIterator[None]:
        """Processes one upload at a time, and deletes partial files that Gradio did not accept."""
        async with self.uploading:
            try:
                yield
            finally:
                for file in self.uploads.glob("tmp*"):
                    if file.is_file():
                        file.unlink(missing_ok=True)

    async def _check(self, request: Request, body: bytearray, is_upload: bool) -> None:
        """Returns the body of a request; raises an HTTPException if the request is rejected."""
        path = request.scope["path"]
        files: list[Any] = [path[len(start) :] for start in FILE if path.startswith(start)]
        if self.local and not LOCAL.fullmatch(request.headers.get("host", "")):
            raise HTTPException(
                403, "this page can be used only from the machine that serves it."
            )
        if path in CLOSED:
            raise HTTPException(404, "this page does not support this request.")
        if request.method == "POST":
            origin = request.headers.get("origin")
            if origin and _host_in(origin) != request.headers.get("host"):
                raise HTTPException(403, "the request comes from another site.")
            # A chunked body is rejected, because it may be longer than the declared length.
            if "transfer-encoding" in request.headers:
                raise HTTPException(
                    411, "expected a request with Content-Length and without Transfer-Encoding."
                )
            size = request.headers.get("content-length")
            largest = self.largest if is_upload else EVENT
            if size is None or int(size) > largest:
                raise HTTPException(413, f"expected a request of at most {largest} bytes.")
            make_room(self.uploads)
            await self._read(request, body, is_upload)
            if body.count(b"\r\n--") > BOUNDARIES and is_upload:
                raise HTTPException(413, "the upload has too many parts: send one file.")
            if not is_upload:
                named = _named(bytes(body))
                files += named["path"]
                if any(self.unread(str(name)) > UNREAD for name in named["session_hash"]):
                    raise HTTPException(429, "this visitor has too many unread messages.")
        if len(files) > PATHS:
            raise HTTPException(413, f"the request lists more than {PATHS} files.")
        if not all(_is_below(file, self.uploads) for file in files):
            raise HTTPException(403, "the file was not uploaded to this page: upload it first.")

    async def _read(self, request: Request, body: bytearray, is_upload: bool) -> None:
        """Reads the body of a request, unless it arrives too slowly or the server is too busy."""
        most = UPLOADS * self.largest if is_upload else EVENTS
        try:
            async with asyncio.timeout(SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    self.held[is_upload] += len(chunk)
                    if self.held[is_upload] > most:
                        raise HTTPException(
                            503, "the server is busy with other uploads: try again in a minute."
                        )
        except TimeoutError:
            detail = f"the request did not arrive within {SECONDS} seconds."
            raise HTTPException(408, detail) from None


@contextlib.contextmanager
def few_errors() -> Iterator[None]:
    """Logs at most `LINES` errors per minute, each as one line without a traceback.

    Otherwise, Gradio prints a traceback for each malformed event, and uvicorn prints one for each
    failed request.
    """
    times: deque[float] = deque(maxlen=LINES)

    def is_logged(record: logging.LogRecord) -> bool:
        record.exc_info = None
        now = time.monotonic()
        if len(times) == LINES and now - times[0] < 60:
            return False
        times.append(now)
        return True

    with contextlib.ExitStack() as undo:
        for logger in map(logging.getLogger, ("uvicorn.error", "asyncio")):
            logger.addFilter(is_logged)
            undo.callback(logger.removeFilter, is_logged)
        undo.callback(setattr, traceback, "print_exc", traceback.print_exc)
        traceback.print_exc = _log_event
        yield


def _log_event(*args: Any, **kwargs: Any) -> None:
    """Logs the current error instead of printing it."""
    _log("event", sys.exception())


def _log(what: str, error: BaseException | None) -> None:
    """Logs an error in one line."""
    logging.getLogger("uvicorn.error").error(
        "%s: %s: %s", what, type(error).__name__, ascii(str(error))[:200]
    )


class Connection(H11Protocol):
    """A connection that is closed if it is idle, or if there are too many connections.

    A connection is idle if, between two checks, it neither sends a complete request nor reads any
    part of a response.
    """

    def connection_made(self, transport: Any) -> None:
        """Registers a connection."""
        super().connection_made(transport)
        of_host = sum(_host(other) == _host(self) for other in self.connections)
        if len(self.connections) > CONNECTIONS or of_host > OF_ONE_ADDRESS:
            transport.abort()
        self._look = self.loop.call_later(HEADERS, self._close_if_idle, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Unregisters a connection."""
        self._look.cancel()
        super().connection_lost(exc)

    def _close_if_idle(self, before: Any) -> None:
        """Closes the connection if its state has not changed since the last check."""
        if self.cycle is None or self.cycle.response_complete:
            now: Any = self.cycle  # the current request, or None if there is none yet
        else:
            now = self.transport.get_write_buffer_size() or object()
        if now == before:
            return self.transport.abort()
        self._look = self.loop.call_later(HEADERS, self._close_if_idle, now)


def _host_in(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # for example, an incomplete IPv6 address
        return None


def _host(connection: Any) -> str | None:
    return connection.client and connection.client[0]


def make_room(uploads: Path, files: int = KEPT_FILES, size: int = KEPT_BYTES) -> None:
    """Deletes the oldest uploads and generated images if their number or total size is too large.

    Each of these files is in a folder of its own. Other files that the page stored in `uploads` are
    kept.
    """
    kept = 0
    newest_first = sorted(uploads.glob("*/*"), key=_written, reverse=True)
    for place, file in enumerate(newest_first):
        kept += file.lstat().st_size
        if place >= files or kept > size:
            file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # fails if the folder contains other files
                file.parent.rmdir()


def _written(file: Path) -> float:
    return file.lstat().st_mtime


def _again(body: bytes, receive: Receive) -> Receive:
    """Returns a `receive` function that first returns a body that has already been read.

    The body is returned in pieces. After each piece, other requests are served.
    """
    places = iter(range(0, max(len(body), 1), PIECE))

    async def again() -> Message:
        start = next(places, None)
        if start is None:
            return await receive()
        await asyncio.sleep(0)
        end = start + PIECE
        return {"type": "http.request", "body": body[start:end], "more_body": end < len(body)}

    return again


def _named(body: bytes) -> dict[str, list[Any]]:
    """Returns the values of `path` and `session_hash` anywhere in JSON; objects become None."""
    values: dict[str, list[Any]] = {"path": [], "session_hash": []}

    def read(pairs: list[tuple[str, Any]]) -> None:
        for key, value in pairs:
            if key in values:
                values[key].append(value)

    try:
        json.loads(body, object_pairs_hook=read)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the request is not valid JSON.") from None
    if any(len(str(name)) > SESSION for name in values["session_hash"]):
        raise HTTPException(
            413, f"session_hash has more characters than the limit of {SESSION}."
        )
    return values


def _is_below(file: Any, folder: Path) -> bool:
    """Returns whether a path is below a folder after links are resolved."""
    if not isinstance(file, str) or "\0" in file:
        return False
    try:
        path = Path(os.path.realpath(file))
    except UnicodeEncodeError:  # a file name cannot contain an unpaired surrogate
        return False
    return path.is_relative_to(os.path.realpath(folder)) and path.is_file()
