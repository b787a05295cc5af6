"""What every test needs before TensorFlow starts: quiet, devices, threads, data, seeds."""

import collections
import gc
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
# Tests in these rooms build, train or export models. All others are quick, unless they say
# otherwise.
ROOMS_OF_MODELS = {
    "adaptation",
    "autoencoders",
    "autoregressive",
    "classifiers",
    "contracts",
    "core",
    "diffusion",
    "fairness",
    "flows",
    "gan",
    "networks",
    "recipes",
    "robustness",
    "serving",
    "translation",
    "vae",
}
LONG = 3.0  # Seconds, from which on a quick test is named at the end of the run
NAMED = 5  # of them at most

# Tests that start a process of their own pass these on to it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
if "KERAS_GEN_DATA" not in os.environ and (ROOT.parent / "shared" / "data").is_dir():
    os.environ["KERAS_GEN_DATA"] = str(ROOT.parent / "shared" / "data")
if "KERAS_GEN_DATA" in os.environ:
    os.environ.setdefault("TFDS_DATA_DIR", str(Path(os.environ["KERAS_GEN_DATA"]) / "tfds"))


def _data_absent() -> str | None:
    """Why there is no prepared data, if there is none."""
    if "KERAS_GEN_DATA" not in os.environ:
        return "no prepared data: KERAS_GEN_DATA names no folder, and ../shared/data does not exist"
    if not Path(os.environ["KERAS_GEN_DATA"]).is_dir():
        return f"no prepared data: KERAS_GEN_DATA is {os.environ['KERAS_GEN_DATA']}, not a folder"
    return None


def pytest_addoption(parser):
    parser.addoption(
        "--minutes",
        type=float,
        help="slow tests that have not begun by then are left out, as the summary says: others "
        "after another commit, where the tests begin at another place",
    )


def pytest_configure(config):
    """Chooses tests; gives TensorFlow two devices, and each process its fraction of the cores."""
    config.began = time.monotonic()
    if not config.option.markexpr:
        everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
        plain = everything and not config.option.keyword
        # Who names a file or a word wants all of it but long trainings.
        config.option.markexpr = "quick" if plain else "not slow"
    if config.getoption("numprocesses", None):
        return  # the controller runs no test: its workers come here themselves
    # Tracing makes many objects that stay: looking through all of them less often saves a tenth.
    gc.set_threshold(100_000, 50, 100)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    threads = max(1, (os.cpu_count() or 1) // workers)
    # Of the libraries below NumPy, and of what tests start; more than cores wait for each other.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, str(threads))
    from keras_gen.quiet import quiet

    with quiet():  # else it tells between the dots what it did not find
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


@pytest.hookimpl(tryfirst=True)  # before -m is applied
def pytest_collection_modifyitems(config, items):
    """Says which tests are quick, and skips what this machine cannot run."""
    if config.option.minutes is not None:
        _order_by_time(items)
    absent = _data_absent()
    for item in items:
        item.add_marker("all")
        if _is_quick(item):
            item.add_marker("quick")
        if absent and item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason=absent))
        if item.get_closest_marker("gpu") and not _gpus():
            item.add_marker(pytest.mark.skip(reason="TensorFlow sees no GPU"))


def _order_by_time(items) -> None:
    """Puts files without slow tests first, and begins the others at another place each commit."""
    with_slow = {item.path for item in items if item.get_closest_marker("slow")}
    always = [item for item in items if item.path not in with_slow]
    others = [item for item in items if item.path in with_slow]
    first = _number_of_commit() % max(len(others), 1)
    items[:] = always + others[first:] + others[:first]


def _number_of_commit() -> int:
    """A number that differs from commit to commit; 0 where git or its folder is missing."""
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(found.stdout, 16)


def pytest_runtest_setup(item):
    """Leaves a slow test out that would begin too late."""
    minutes = item.config.option.minutes
    is_slow = item.get_closest_marker("slow") and not item.get_closest_marker("quick")
    if minutes is not None and is_slow and time.monotonic() > item.config.began + 60 * minutes:
        pytest.skip(f"no time left after {minutes:g} minutes: run it with -m all")


def _is_quick(item) -> bool:
    """Whether a test is quick by its room: what trains, or takes seconds, has to say that it is."""
    room = item.path.relative_to(TESTS).parts[0]
    left_out = any(item.get_closest_marker(name) for name in ("slow", "thorough"))
    return room not in ROOMS_OF_MODELS and not left_out


def pytest_deselected(items):
    """Notes for the process that writes the summary what a worker leaves out."""
    output = getattr(items[0].config, "workeroutput", None) if items else None
    if output is not None:
        output.setdefault("deselected", []).extend(item.nodeid for item in items)


def pytest_testnodedown(node):
    """Counts once what every worker leaves out: pytest-xdist counts nothing."""
    left_out = getattr(node, "workeroutput", {}).get("deselected", [])
    reporter = node.config.pluginmanager.get_plugin("terminalreporter")
    reporter.stats.setdefault("deselected", left_out)


def _gpus() -> list:
    import tensorflow as tf

    return tf.config.list_physical_devices("GPU")


@pytest.fixture(autouse=True)
def _same_start():
    """Every test starts from one seed, and leaves the dtype policy as it was."""
    import keras

    policy = keras.config.dtype_policy()
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture(autouse=True)
def _own_collectives():
    """The replicas of a test never meet what a step that failed in an earlier one left behind.

    All strategies of a process number their sums over replicas from the same start. Where a step
    fails on one replica only, the other's part stays, and the next strategy's sum would find it.
    """
    import tensorflow as tf

    tf.distribute.MirroredStrategy._collective_key_base += 10  # more than one strategy needs
    yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of prepared data: `tfds/` and plain files such as `usps/usps.npz`."""
    if absent := _data_absent():
        pytest.skip(absent)
    return Path(os.environ["KERAS_GEN_DATA"])


@pytest.fixture
def rng():
    """A generator of its own for each test, so that no test depends on the order of others."""
    import numpy as np

    return np.random.default_rng(0)


def pytest_terminal_summary(terminalreporter):
    """Says what one more model class costs: the seconds of the contracts of each class there is."""
    seconds: collections.Counter = collections.Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            node = getattr(report, "nodeid", "")
            name = re.search(r"\[.*?([A-Z]\w+)", node)
            if "tests/contracts/" in node and name:
                seconds[name[1]] += getattr(report, "duration", 0.0)
    # Those that stand for a pattern of training are also tested for all others.
    usual = sorted(s for name, s in seconds.items() if s > 1 and name not in ("VAE", "GAN"))
    if len(usual) > 10:  # of a part of the tests it would say little
        terminalreporter.write_line(
            f"contracts: one more model class adds {usual[len(usual) // 2]:.1f} s to this run, the "
            f"median of {len(usual)}"
        )
    _name_long_tests(terminalreporter)


def _name_long_tests(reporter):
    """Names what keeps plain `pytest` waiting, so that it is made shorter or marked as thorough."""
    if reporter.config.option.markexpr != "quick":
        return
    reports = [report for report in reporter.stats.get("passed", []) if report.duration > LONG]
    for report in sorted(reports, key=lambda report: -report.duration)[:NAMED]:
        reporter.write_line(f"a quick test took {report.duration:.1f} s: {report.nodeid}")
