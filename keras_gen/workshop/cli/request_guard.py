"""Requests that the page of `keras-gen demo` accepts. Needs FastAPI and uvicorn."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

UPLOAD = "/gradio_api/upload"
# What follows it is the path of a file.
FILE = ("/gradio_api/file=", "/gradio_api/file/")
DEEP_LINK = "/gradio_api/deep_link"  # writes what a visitor sees into a file that stays
FORM = 2**20  # bytes of a request around a file
EVENT = 2**16  # bytes of another request: as values of Python, JSON takes 30 times as many
UPLOADS = 4  # largest uploads that are read at once, and as many bytes of smaller ones
EVENTS = 2**24  # bytes of other requests that are read at once
SESSION = 64  # characters of a visitor's name, which Gradio keeps when its events are over
SECONDS = 60  # that reading a request may take
HEADERS = 10  # seconds between two looks at a connection without a request
CONNECTIONS = 400  # each may also read a file, and a process usually has 1,024 descriptors
OF_ONE_ADDRESS = 200  # connections
UNREAD = 100  # messages to a visitor, after which no further event of the visitor is accepted
HEAD = 2**14  # bytes of a request's headers
PATHS = 16  # files that a request names
LOCAL = ("localhost", "127.0.0.1", "::1")
# What the folder of uploads holds at most. The oldest files go first.
KEPT_FILES = 500
KEPT_BYTES = 2**30


class Guard:
    """Refuses large, slow, and many requests, and those for files that are not the page's.

    The page's files were uploaded to it or made by it. Gradio copies every file that a request
    names to where the page serves files, and fetches every address: for any component, and before
    a function sees it. It writes uploads to the disk while they arrive, and leaves there those that
    end early. So requests are read before Gradio gets them.

    Args:
        app: The page.
        uploads: The folder of uploads, in which Gradio also keeps the images that the page shows.
        most: Size of the largest upload, in bytes. A request holds one.
        local: Whether the page is for this machine alone: then requests must call it by a name that
            no other site can have.
        unread: Maps a visitor's name to the number of messages that wait for the visitor.
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
        # Bytes of requests in progress, of uploads and of others.
        self.held = {True: 0, False: 0}
        self.uploading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a request that the page accepts, and answers others."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope, receive)
        is_upload = scope["path"] == UPLOAD
        body = bytearray()
        try:
            await self._check(request, body, is_upload)
            if request.method == "POST":
                receive = _again(bytes(body), receive)
            async with self._upload() if is_upload else contextlib.nullcontext():
                await self.app(scope, receive, send)
        except HTTPException as refused:
            answer = JSONResponse({"detail": refused.detail}, refused.status_code)
            await answer(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            self.held[is_upload] -= len(body)

    @contextlib.asynccontextmanager
    async def _upload(self) -> AsyncIterator[None]:
        """Uploads one at a time, and deletes files that Gradio began and did not accept."""
        async with self.uploading:
            try:
                yield
            finally:
                for file in self.uploads.glob("tmp*"):
                    if file.is_file():
                        file.unlink(missing_ok=True)

    async def _check(self, request: Request, body: bytearray, is_upload: bool) -> None:
        """Reads the body of a request; an HTTPException if it is refused."""
        path = request.scope["path"]
        files: list[Any] = [path[len(start) :] for start in FILE if path.startswith(start)]
        if self.local and request.url.hostname not in LOCAL:
            raise HTTPException(403, "the page is for the machine that serves it.")
        if path == DEEP_LINK:
            raise HTTPException(404, "the page has no links to what a visitor sees.")
        if request.method == "POST":
            origin = request.headers.get("origin")
            if origin and urlsplit(origin).netloc != request.headers.get("host"):
                raise HTTPException(403, "the request comes from another site's page.")
            # Sent in chunks, a body may be longer than the length that is said.
            if "transfer-encoding" in request.headers:
                raise HTTPException(411, "the request does not say its length alone.")
            size = request.headers.get("content-length")
            largest = self.largest if is_upload else EVENT
            if size is None or int(size) > largest:
                raise HTTPException(413, f"the request is not of at most {largest} bytes.")
            make_room(self.uploads)
            await self._read(request, body, is_upload)
            if not is_upload:
                named = _named(bytes(body))
                files += named["path"]
                if any(self.unread(str(name)) > UNREAD for name in named["session_hash"]):
                    raise HTTPException(429, "the messages to this visitor are not read.")
        if len(files) > PATHS:
            raise HTTPException(413, f"the request names more than {PATHS} files.")
        if not all(_is_below(file, self.uploads) for file in files):
            raise HTTPException(403, "the file was not uploaded to this page: upload it first.")

    async def _read(self, request: Request, body: bytearray, is_upload: bool) -> None:
        """Appends the body of a request, unless it takes too long or too much is being read."""
        most = UPLOADS * self.largest if is_upload else EVENTS
        try:
            async with asyncio.timeout(SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    self.held[is_upload] += len(chunk)
                    if self.held[is_upload] > most:
                        raise HTTPException(
                            503, "too much is being sent: try again in a minute."
                        )
        except TimeoutError:
            detail = f"the request did not arrive within {SECONDS} seconds."
            raise HTTPException(408, detail) from None


class Connection(H11Protocol):
    """A connection that is closed if it is one too many, or is idle.

    It is idle if it sends no whole request, or reads nothing of an answer, between two looks.
    """

    def connection_made(self, transport: Any) -> None:
        """Begins a connection."""
        super().connection_made(transport)
        of_host = sum(_host(other) == _host(self) for other in self.connections)
        if len(self.connections) > CONNECTIONS or of_host > OF_ONE_ADDRESS:
            transport.abort()
        self._look = self.loop.call_later(HEADERS, self._close_if_idle, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends a connection."""
        self._look.cancel()
        super().connection_lost(exc)

    def _close_if_idle(self, before: Any) -> None:
        """Closes the connection if its state is the one of the look before."""
        if self.cycle is None or self.cycle.response_complete:
            now: Any = self.cycle  # it has no request
        else:
            now = self.transport.get_write_buffer_size() or object()
        if now == before:
            return self.transport.abort()
        self._look = self.loop.call_later(HEADERS, self._close_if_idle, now)


def _host(connection: Any) -> str | None:
    return connection.client and connection.client[0]


def make_room(uploads: Path, files: int = KEPT_FILES, size: int = KEPT_BYTES) -> None:
    """Deletes the oldest uploads, and images that the page made, beyond a number and a size.

    Both lie in folders of their own; what the page itself put beside these stays.
    """
    kept = 0
    newest_first = sorted(uploads.glob("*/*"), key=_written, reverse=True)
    for place, file in enumerate(newest_first):
        kept += file.lstat().st_size
        if place >= files or kept > size:
            file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # there are others
                file.parent.rmdir()


def _written(file: Path) -> float:
    return file.lstat().st_mtime


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, and then what there is to receive."""
    read: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return read.pop() if read else await receive()

    return again


def _named(body: bytes) -> dict[str, list[Any]]:
    """The values of `path` and `session_hash` in JSON, at any depth; objects become None."""
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
        raise HTTPException(413, f"session_hash has more than {SESSION} characters.")
    return values


def _is_below(file: Any, folder: Path) -> bool:
    """Whether a path, with its links followed, is that of a file below a folder."""
    if not isinstance(file, str) or "\0" in file:
        return False
    try:
        path = Path(os.path.realpath(file))
    except UnicodeEncodeError:  # half of a surrogate pair is in no file's name
        return False
    return path.is_relative_to(os.path.realpath(folder)) and path.is_file()
