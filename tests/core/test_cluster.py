"""Machines of a cluster that wait for each other, here threads on one machine."""

import socket
import threading
import time

import pytest

from keras_gen.core.distribution import MINUTES, wait_for_others


@pytest.fixture
def addresses():
    """Three addresses that are free."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    found = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    return found


def test_all_meet(addresses):
    """Also the last, which comes when the first are at work, at the same address."""
    met = []

    def come(own, late):
        time.sleep(late)
        wait_for_others(addresses, own)
        met.append(own)
        with socket.create_server(("127.0.0.1", int(own.split(":")[1]))):
            all_met.wait(10)

    all_met = threading.Barrier(3)
    threads = [
        threading.Thread(target=come, args=pair)
        for pair in zip(addresses, (0, 0.1, 0.6), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(met) == sorted(addresses)


def test_who_does_not_come_is_named(addresses, monkeypatch):
    monkeypatch.setenv(MINUTES, "0.005")
    said = (
        f"{addresses[1]}, {addresses[2]} in TF_CONFIG did not respond within 0.005 minutes: start"
    )
    with pytest.raises(TimeoutError, match=said):
        wait_for_others(addresses, addresses[0])


def test_a_port_that_is_taken(addresses):
    port = int(addresses[0].split(":")[1])
    with (
        socket.create_server(("", port)),
        pytest.raises(OSError, match=f"{addresses[0]}, is already in use .*choose another port"),
    ):
        wait_for_others(addresses, addresses[0])
