"""`keras-gen demo`: serves a browser page for trying exports."""

import argparse
import contextlib
import importlib.util
import ipaddress
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

from keras_gen.workshop.cli.panels import offers

PORT = 7860


def demo(options: argparse.Namespace) -> int:
    """Serves the page until the process is interrupted."""
    found, others = offers(_folders(options.models, options.folders))
    if not found:
        raise ValueError(
            f"no export has a signature that the page can show (exports found: {len(others)}; the "
            f"first is {others[0]}): choose a folder with other exports."
        )
    missing = [name for name in ("gradio", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f'needs {" and ".join(missing)}: install with pip install "keras-generative[demo]", or '
            'in a checkout with pip install -e ".[demo]"'
        )
    # Gradio reads these variables when it is imported. Without them, it sends usage data to its
    # developers.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import uvicorn

    from keras_gen.workshop.cli.page import page
    from keras_gen.workshop.cli.request_guard import HEAD, Connection, few_errors

    with (
        _listening(options.host, options.port) as listener,
        tempfile.TemporaryDirectory(prefix="keras_gen_demo_") as uploads,
    ):
        os.environ["GRADIO_TEMP_DIR"] = uploads
        local = _is_loopback(listener)
        config = uvicorn.Config(
            page(found, others, options.max_megabytes, Path(uploads), local),
            http=Connection,
            ws="none",
            h11_max_incomplete_event_size=HEAD,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        if not local:
            print(
                f"warning: anyone who can reach {options.host} can use the page", file=sys.stderr
            )
        # On SIGTERM, raise KeyboardInterrupt, so that uploads are deleted even if a signal ends the
        # process.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if others:
            print(f"exports without a panel, listed at the end of the page: {len(others)}")
        noun = "export" if len(found) == 1 else "exports"
        print(
            f"serving {len(found)} {noun} at {_address(listener)} (press Ctrl+C to stop)",
            flush=True,
        )
        with few_errors(), contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return 0


def _folders(models: Path, named: list[str]) -> list[Path]:
    """Returns the folders of exports named by path or name, by default all exports in `models`."""
    if not named:
        return [models]
    inner = [models / name for name in named]
    return [
        path if path.is_dir() and not Path(name).exists() else Path(name)
        for name, path in zip(named, inner, strict=True)
    ]


def _listening(host: str, port: int) -> socket.socket:
    """Returns a socket that listens on a port of this machine."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python appends the address
        raise OSError(
            f"cannot listen on port {port} of {host} ({reason}): choose another --port or --host."
        ) from error


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def _address(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
