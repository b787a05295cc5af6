"""Which requests the page of `keras-gen demo` takes. Needs FastAPI, which comes with Gradio."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

UPLOAD = "/gradio_api/upload"
# What follows it is the path of a file.
FILE = ("/gradio_api/file=", "/gradio_api/file/")
FORM = 2**20  # bytes of a request around a file, or without one


def guard(app: FastAPI, uploads: Path, most: int) -> None:
    """Refuses requests for files that were not uploaded to the page or made by it.

    Gradio copies every file that a request names to where the page serves files, and fetches every
    address: of any component, and before a function sees it. So requests are read before Gradio
    gets them.

    Args:
        app: The page.
        uploads: The folder of uploads, in which Gradio also keeps the images that the page shows.
        most: Size of the largest upload, in bytes. A request holds one.
    """

    @app.middleware("http")
    async def guarded(
        request: Request, proceed: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        path = request.scope["path"]
        files: list[Any] = [path[len(start) :] for start in FILE if path.startswith(start)]
        if request.method == "POST":
            size = request.headers.get("content-length")
            if size is None or int(size) > most + FORM:
                return _refused(413, f"the request is not of at most {most + FORM} bytes.")
            if path != UPLOAD:
                try:
                    files += _named(await request.body())
                except (ValueError, RecursionError):
                    return _refused(400, "the request is not valid JSON.")
        if not all(_is_below(file, uploads) for file in files):
            return _refused(403, "the file was not uploaded to this page: upload it first.")
        return await proceed(request)


def _refused(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status)


def _named(body: bytes) -> list[Any]:
    """The paths that JSON holds, at any depth; those that are no text as None."""
    paths: list[Any] = []

    def read(pairs: list[tuple[str, Any]]) -> None:
        paths.extend(value for key, value in pairs if key == "path")

    json.loads(body, object_pairs_hook=read)
    return paths


def _is_below(file: Any, folder: Path) -> bool:
    """Whether a path, with its links followed, is that of a file below a folder."""
    if not isinstance(file, str) or "\0" in file:
        return False
    path = Path(os.path.realpath(file))
    return path.is_relative_to(os.path.realpath(folder)) and path.is_file()
