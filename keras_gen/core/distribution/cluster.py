"""Waiting for the other machines of a cluster."""

import os
import socket
import time
from collections.abc import Sequence

MINUTES = "KERAS_GEN_WAIT_MINUTES"


def wait_for_others(addresses: Sequence[str], own: str) -> None:
    """Waits until all machines of a cluster respond, while this one responds at its own address.

    TensorFlow would wait without a time limit, ignore signals, and not name the missing machine.

    Args:
        addresses: `host:port` of each machine.
        own: Address of this machine.

    Raises:
        TimeoutError: If a machine does not respond within the number of minutes in the environment
            variable `KERAS_GEN_WAIT_MINUTES` (default: 15).
        OSError: If another process uses this machine's port.
    """
    minutes = float(os.environ.get(MINUTES, 15))
    missing = [address for address in addresses if address != own]
    start = time.monotonic()
    printed = start - 5  # the first line is printed after 5 s, and then one every 10 s
    try:
        door = socket.create_server(("", _host_and_port(own)[1]))
    except OSError as error:
        raise OSError(
            error.errno,
            f"This machine's address in TF_CONFIG, {own}, is already in use ({error.strerror}): "
            "end the process that listens there, or choose another port.",
        ) from error
    with door:
        while missing := [address for address in missing if not _answers(address)]:
            now = time.monotonic()
            waited_for = ", ".join(missing)
            if now - start > 60 * minutes:
                raise TimeoutError(
                    f"{waited_for} in TF_CONFIG did not respond within {minutes:g} "
                    f"minutes: start all machines of the cluster, or wait longer ({MINUTES})."
                )
            if now - printed > 10:
                print(f"waiting for {waited_for} in TF_CONFIG", flush=True)
                printed = now
            time.sleep(0.2)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _answers(address: str) -> bool:
    try:
        socket.create_connection(_host_and_port(address), timeout=1).close()
    except OSError:
        return False
    return True
