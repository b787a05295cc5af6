"""Which requests the page of the demo takes, without the page."""

import os

import pytest

pytest.importorskip("fastapi", reason='needs gradio: pip install "keras-generative[demo]"')

from fastapi import FastAPI
from fastapi.testclient import TestClient

from keras_gen.workshop.cli.request_guard import UPLOAD, Guard, make_room

JOIN = "/gradio_api/queue/join"


def client(uploads, local=True):
    """A page that answers everything with "taken"."""
    app = FastAPI()
    app.add_middleware(Guard, uploads=uploads, most=100, local=local)
    for path in (UPLOAD, JOIN):
        app.post(path)(lambda: "taken")
    return TestClient(app, base_url="http://localhost:7860")


def put(folder, name, size, age):
    (folder / name).mkdir(parents=True)
    file = folder / name / "a.png"
    file.write_bytes(bytes(size))
    os.utime(file, (1000 - age, 1000 - age))
    return file


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860"])
def test_this_machine_by_its_names(tmp_path, host):
    answer = client(tmp_path).post(JOIN, json={}, headers={"Host": host})
    assert answer.json() == "taken"


def test_names_that_another_site_can_have(tmp_path):
    headers = {"Host": "evil.example:7860", "Origin": "http://evil.example:7860"}
    for method in ("GET", "POST"):
        answer = client(tmp_path).request(method, JOIN, headers=headers)
        assert answer.status_code == 403
        assert answer.json() == {"detail": "the page is for the machine that serves it."}
    # Who serves a page for others has a name for it.
    served = client(tmp_path, local=False)
    assert served.post(JOIN, json={}, headers=headers).json() == "taken"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
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
