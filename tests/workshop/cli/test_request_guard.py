"""Which requests the page of the demo takes, without the page."""

import contextlib
import json
import logging
import os
import socket
import threading
import time
import traceback

import pytest

pytest.importorskip("fastapi", reason='needs gradio: pip install "keras-generative[demo]"')

import uvicorn
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from keras_gen.workshop.cli import request_guard
from keras_gen.workshop.cli.request_guard import (
    BOUNDARIES,
    CLOSED,
    EVENT,
    FORM,
    PATHS,
    PIECE,
    SESSION,
    UNREAD,
    UPLOAD,
    Connection,
    Guard,
    few_errors,
    make_room,
)

JOIN = "/gradio_api/queue/join"


def client(uploads, local=True, **options):
    """A page that answers everything with "taken"."""
    app = FastAPI()
    app.add_middleware(Guard, uploads=uploads, most=100, local=local, **options)
    for path in (UPLOAD, JOIN):
        app.post(path)(lambda: "taken")
    for path in CLOSED:
        app.get(path)(lambda: "taken")
    return TestClient(app, base_url="http://localhost:7860")


def put(folder, name, size, age):
    (folder / name).mkdir(parents=True)
    file = folder / name / "a.png"
    file.write_bytes(bytes(size))
    os.utime(file, (1000 - age, 1000 - age))
    return file


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"])
def test_this_machine_by_its_names(tmp_path, host):
    answer = client(tmp_path).post(JOIN, json={}, headers={"Host": host})
    assert answer.json() == "taken"


@pytest.mark.parametrize(
    "host",
    ["evil.example:7860", "", "localhost:abc", "localhost@evil.example", "[", "localhost.evil"],
)
def test_names_that_another_site_can_have(tmp_path, host):
    headers = {"Host": host}
    for method in ("GET", "POST"):
        answer = client(tmp_path).request(method, JOIN, headers=headers)
        assert answer.status_code == 403
        assert answer.json() == {
            "detail": "this page can be used only from the machine that serves it."
        }


def test_a_page_for_others_has_a_name(tmp_path):
    headers = {"Host": "evil.example:7860", "Origin": "http://evil.example:7860"}
    served = client(tmp_path, local=False)
    assert served.post(JOIN, json={}, headers=headers).json() == "taken"


def test_errors_of_the_page_are_answered_and_logged_in_few_lines(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(request_guard, "LINES", 3)
    app = FastAPI()
    app.add_middleware(Guard, uploads=tmp_path, most=100, local=True)

    @app.post(JOIN)
    def fails():
        raise KeyError("a\nb" + 1000 * "x")

    posts = TestClient(app, base_url="http://localhost:7860")
    with few_errors():
        for _ in range(5):
            answer = posts.post(JOIN, json={})
            assert answer.status_code == 500
            assert answer.json() == {"detail": "the request failed."}
    assert len(caplog.records) == 3
    line = caplog.records[0].getMessage()
    assert line.startswith(f"POST '{JOIN}': KeyError: ") and len(line) < 400 and "\n" not in line
    assert caplog.records[0].exc_info is None


def test_errors_of_events_are_logged_in_few_lines(monkeypatch, caplog, capsys):
    """Gradio prints them, and uvicorn logs connections that end early."""
    monkeypatch.setattr(request_guard, "LINES", 3)
    with few_errors():
        for _ in range(2):
            try:
                raise KeyError("a\nb" + 1000 * "x")
            except KeyError:
                traceback.print_exc()
        for _ in range(5):
            logging.getLogger("uvicorn.error").error("ended", exc_info=ValueError("a"))
    assert [record.exc_info for record in caplog.records] == 3 * [None]
    line = caplog.records[0].getMessage()
    assert line.startswith("event: KeyError: ") and len(line) < 400 and "\n" not in line
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("path", CLOSED)
def test_paths_that_the_page_does_not_use(tmp_path, path):
    assert client(tmp_path).get(path, params={"session_hash": "a"}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": str(2**21)}, 413),
    ],
)
@pytest.mark.parametrize("path", [UPLOAD, JOIN])
def test_posts_that_are_refused(tmp_path, path, headers, status):
    assert client(tmp_path).post(path, content=b"{}", headers=headers).status_code == status


@pytest.mark.parametrize("path", [b'"\\ud800"', b'"/etc/passwd"', b"3", b"null", b"[[1]]"])
def test_paths_that_are_no_upload(tmp_path, path):
    answer = client(tmp_path).post(JOIN, content=b'{"data": [{"path": ' + path + b"}]}")
    assert answer.status_code == 403 and str(tmp_path) not in answer.text


def test_the_oldest_uploads_make_room(tmp_path):
    stays = tmp_path / "example.png"
    stays.write_bytes(bytes(1000))
    old, middle, new = (put(tmp_path, str(age), 40, age) for age in (3, 2, 1))
    make_room(tmp_path, files=3, size=120)
    assert old.exists()
    make_room(tmp_path, files=3, size=119)
    assert not old.exists() and middle.exists()
    make_room(tmp_path, files=1)
    assert not middle.exists() and new.exists() and stays.exists()


def test_each_post_makes_room(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("keras_gen.workshop.cli.request_guard.make_room", asked.append)
    client(tmp_path).post(UPLOAD, content=b"x")
    assert asked == [tmp_path]


def test_the_files_that_a_request_names_are_counted(tmp_path):
    file = put(tmp_path, "upload", 1, 0)
    for count, status in ((PATHS, 200), (PATHS + 1, 413), (5000, 413)):
        body = json.dumps({"data": [{"path": str(file)}] * count}).encode()
        answer = client(tmp_path).post(JOIN, content=body)
        assert answer.status_code == status, count
    answer = client(tmp_path).post(JOIN, json=[{"path": str(file)}] * (PATHS + 1))
    assert answer.json() == {"detail": f"the request lists more than {PATHS} files."}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"session_hash": "a" * SESSION}, 200),
        ({"session_hash": "a" * (SESSION + 1)}, 413),
        ({"session_hash": ["a"] * SESSION}, 413),
        ({"data": "a" * (EVENT - 12)}, 200),
        ({"data": "a" * (EVENT - 11)}, 413),
    ],
)
def test_what_gradio_keeps_is_short(tmp_path, content, status):
    body = json.dumps(content).encode()
    assert client(tmp_path).post(JOIN, content=body).status_code == status


def test_lines_that_begin_like_boundaries_are_counted(tmp_path):
    page = client(tmp_path)
    for count, status in ((BOUNDARIES, 200), (BOUNDARIES + 1, 413)):
        answer = page.post(UPLOAD, content=b"\r\n--xA" * count)
        assert answer.status_code == status, count
    assert answer.json() == {"detail": "the upload has too many parts: send one file."}


def test_a_body_is_handed_on_in_pieces(tmp_path):
    """While an upload is parsed, other requests are served."""
    app = FastAPI()
    app.add_middleware(Guard, uploads=tmp_path, most=4 * PIECE, local=True)

    @app.post(UPLOAD)
    async def sizes(request: Request):
        assert not request.query_params
        return [len(piece) async for piece in request.stream()]

    page = TestClient(app, base_url="http://localhost")
    for size, wanted in ((0, [0, 0]), (PIECE, [PIECE, 0]), (PIECE + 7, [PIECE, 7, 0])):
        found = page.post(UPLOAD, params={"upload_id": "a"}, content=bytes(size)).json()
        assert [n for n in found if n] == [n for n in wanted if n]


def test_visitors_who_do_not_read_their_messages_send_no_further_events(tmp_path):
    page = client(tmp_path, unread={"reads": UNREAD, "does not": UNREAD + 1}.get)
    for visitor, status in (("reads", 200), ("does not", 429)):
        assert page.post(JOIN, json={"session_hash": visitor}).status_code == status


def test_what_is_left_of_an_upload_is_deleted(tmp_path):
    example = tmp_path / "example.png"
    example.touch()
    app = FastAPI()
    app.add_middleware(Guard, uploads=tmp_path, most=100, local=True)

    @app.post(UPLOAD)
    def fail():
        (tmp_path / "tmp1").touch()
        raise ArithmeticError

    answer = TestClient(app, base_url="http://localhost").post(UPLOAD, content=b"x")
    assert answer.status_code == 500
    assert list(tmp_path.iterdir()) == [example]


# Over HTTP ---------------------------------------------------------------------------------------


class Server:
    """A page behind the guard on a port of this machine, with small limits."""

    def __init__(self, uploads):
        self.requests = []
        self.connections = contextlib.ExitStack()
        app = FastAPI()
        app.add_middleware(Guard, uploads=uploads, most=0, local=True)
        for path in (UPLOAD, JOIN):
            app.post(path)(lambda: self.requests.append(1) or "taken")
        app.get("/large")(lambda: "a" * 10**8)
        config = uvicorn.Config(app, http=Connection, ws="none", log_level="critical")
        self.server = uvicorn.Server(config)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))

    def connect(self, content=b""):
        connection = socket.create_connection(self.listener.getsockname(), timeout=20)
        self.connections.enter_context(connection)
        connection.sendall(content)
        return connection

    def ask(self, content):
        """The first line of the answer."""
        return status(self.connect(content))


def status(connection):
    return connection.recv(1000).partition(b"\r\n")[0].decode()


def post(path, size, body=b""):
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


def is_open(connection):
    """Whether a connection has not been closed by the other side."""
    connection.setblocking(False)
    with contextlib.suppress(ConnectionError):
        try:
            return connection.recv(1000) != b""
        except BlockingIOError:
            return True
    return False


def until(condition):
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


@pytest.fixture
def server(tmp_path, monkeypatch):
    for name, value in {"SECONDS": 2, "HEADERS": 0.5, "UPLOADS": 2, "EVENTS": 10**5}.items():
        monkeypatch.setattr(request_guard, name, value)
    monkeypatch.setattr(request_guard, "CONNECTIONS", 20)
    started = Server(tmp_path)
    started.thread.start()
    until(lambda: started.server.started)
    with started.connections:
        yield started
    started.server.should_exit = True
    started.thread.join()


def test_requests_that_arrive_slowly_are_given_up(server):
    for path in (UPLOAD, JOIN):
        began = time.monotonic()
        assert server.ask(post(path, 100, b"{")).startswith("HTTP/1.1 408 ")
        assert 1.9 < time.monotonic() - began < 10
    assert not server.requests


@pytest.mark.parametrize("path, largest, most", [(UPLOAD, FORM, 2 * FORM), (JOIN, EVENT, 10**5)])
def test_what_is_read_at_once_is_bounded(server, monkeypatch, path, largest, most):
    monkeypatch.setattr(request_guard, "SECONDS", 30)
    part = most // 2 - 1000
    slow = [server.connect(post(path, largest, b" " * part)) for _ in range(2)]
    time.sleep(0.5)
    assert server.ask(post(path, 5000, b" " * 5000)).startswith("HTTP/1.1 503 ")
    assert all(map(is_open, slow)) and not server.requests
    for connection in slow:  # ended early
        connection.close()
    small = post(path, 5000, b"1" * 4000 + b" " * 1000)
    until(lambda: server.ask(small).startswith("HTTP/1.1 200 "))


def test_connections_without_a_request_are_closed(server):
    half = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    refused = post(JOIN, 10**12)
    waiting = [server.connect(content) for content in (b"", half, half, refused)]
    assert status(waiting[3]).startswith("HTTP/1.1 413 ")
    slow = post(UPLOAD, 10)
    reading = server.connect(slow)
    for _ in range(10):
        with contextlib.suppress(ConnectionError):
            for connection in waiting[2:]:
                connection.sendall(b"a")
        time.sleep(0.15)
    until(lambda: not any(map(is_open, waiting)))
    reading.sendall(b" " * 10)
    assert status(reading).startswith("HTTP/1.1 200 ")


def test_connections_that_read_nothing_of_an_answer_are_closed(server):
    server.connect(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    held = server.server.server_state.connections
    until(lambda: held)
    until(lambda: not held)


@pytest.mark.parametrize("limit", ["CONNECTIONS", "OF_ONE_ADDRESS"])
def test_connections_are_counted(server, monkeypatch, limit):
    monkeypatch.setattr(request_guard, "CONNECTIONS", 40)
    monkeypatch.setattr(request_guard, limit, 20)
    waiting = [server.connect() for _ in range(40)]
    until(lambda: sum(map(is_open, waiting)) <= 20)
    until(lambda: not any(map(is_open, waiting)))
    assert server.ask(post(JOIN, 2, b"{}")).startswith("HTTP/1.1 200 ")
