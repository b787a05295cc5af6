"""Which requests the page of `keras-gen demo` takes. Needs FastAPI, which comes with Gradio."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOAD = "/gradio_api/upload"
# What follows it is the path of a file.
FILE = ("/gradio_api/file=", "/gradio_api/file/")
FORM = 2**20  # bytes of a request around a file, or without one
LOCAL = ("localhost", "127.0.0.1", "::1")
# What the folder of uploads holds at most. The oldest files go first.
KEPT_FILES = 500
KEPT_BYTES = 2**30


class Guard:
    """Refuses requests for files that were not uploaded to the page or made by it.

    Gradio copies every file that a request names to where the page serves files, and fetches every
    address: for any component, and before a function sees it. So requests are read before Gradio
    gets them.

    Args:
        app: The page.
        uploads: The folder of uploads, in which Gradio also keeps the images that the page shows.
        most: Size of the largest upload, in bytes. A request holds one.
        local: Whether the page is for this machine alone: then requests must call it by a name that
            no other site can have.
    """

    def __init__(self, app: ASGIApp, uploads: Path, most: int, local: bool):
        self.app = app
        self.uploads = uploads
        self.largest = most + FORM
        self.local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a request that the page takes, and answers others."""
        if scope["type"] == "http":
            try:
                receive = await self._checked(Request(scope, receive))
            except HTTPException as refused:
                answer = JSONResponse({"detail": refused.detail}, refused.status_code)
                return await answer(scope, receive, send)
        await self.app(scope, receive, send)

    async def _checked(self, request: Request) -> Receive:
        """What the page receives of a request; an HTTPException if it is refused."""
        path = request.scope["path"]
        receive = request.receive
        files: list[Any] = [path[len(start) :] for start in FILE if path.startswith(start)]
        if self.local and request.url.hostname not in LOCAL:
            raise HTTPException(403, "the page is for the machine that serves it.")
        if request.method == "POST":
            origin = request.headers.get("origin")
            if origin and urlsplit(origin).netloc != request.headers.get("host"):
                raise HTTPException(403, "the request comes from another site's page.")
            # Sent in chunks, a body may be longer than the length that is said.
            if "transfer-encoding" in request.headers:
                raise HTTPException(411, "the request does not say its length alone.")
            size = request.headers.get("content-length")
            if size is None or int(size) > self.largest:
                raise HTTPException(413, f"the request is not of at most {self.largest} bytes.")
            make_room(self.uploads)
            if path != UPLOAD:
                body = await request.body()
                receive = _again(body, receive)
                files += _named(body)
        if not all(_is_below(file, self.uploads) for file in files):
            raise HTTPException(403, "the file was not uploaded to this page: upload it first.")
        return receive


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


def _written(file: Path) -> float:
    return file.lstat().st_mtime


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, and then what there is to receive."""
    read: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return read.pop() if read else await receive()

    return again


def _named(body: bytes) -> list[Any]:
    """The values of `path` in JSON, at any depth; those that are objects as None."""
    paths: list[Any] = []

    def read(pairs: list[tuple[str, Any]]) -> None:
        paths.extend(value for key, value in pairs if key == "path")

    try:
        json.loads(body, object_pairs_hook=read)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the request is not valid JSON.") from None
    return paths


def _is_below(file: Any, folder: Path) -> bool:
    """Whether a path, with its links followed, is that of a file below a folder."""
    if not isinstance(file, str) or "\0" in file:
        return False
    try:
        path = Path(os.path.realpath(file))
    except UnicodeEncodeError:  # half of a surrogate pair is in no file's name
        return False
    return path.is_relative_to(os.path.realpath(folder)) and path.is_file()
