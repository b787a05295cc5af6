"""What every test needs before TensorFlow starts: quiet, devices, threads, data, seeds."""

import collections
import gc
import os
import re
from pathlib import Path

import pytest

from changed import FUNCTIONS, Choice, changed_files, choose, imports_of, lazy, reworded_files

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
MODELS = {name for names in lazy(ROOT / "keras_gen/__init__.py").values() for name in names}
RECIPES = {path.stem for path in (ROOT / "recipes").glob("*.py")}
# Recipes, exports, and the workshop use models; plain `pytest` checks the models themselves.
ROOMS_AROUND_MODELS = {"recipes", "serving", "workshop"}
MOST_CHANGED = 12  # classes whose dear contracts `--changed` runs
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
        "--changed",
        metavar="BASE",
        help="run the tests that changes since this commit reach, uncommitted changes included",
    )


def pytest_configure(config):
    """Chooses tests; gives TensorFlow two devices, and each process its fraction of the cores."""
    config.choice = _choice(config)
    if config.choice and not config.option.markexpr:
        config.option.markexpr = "changed or not slow"
    elif not config.option.markexpr:
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
    if config.choice and not config.choice.everything:
        _choose_items(config, items)
    absent = _data_absent()
    for item in items:
        item.add_marker("all")
        if _is_quick(item):
            item.add_marker("quick")
        if absent and item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason=absent))
        if item.get_closest_marker("gpu") and not _gpus():
            item.add_marker(pytest.mark.skip(reason="TensorFlow sees no GPU"))


def _is_quick(item) -> bool:
    """Whether plain `pytest` runs a test."""
    room = item.path.relative_to(TESTS).parts[0]
    left_out = any(item.get_closest_marker(name) for name in ("slow", "thorough", "pages"))
    return room not in ROOMS_AROUND_MODELS and not left_out


# What a change reaches -----------------------------------------------------------------------


def _choice(config) -> Choice | None:
    """The tests of `--changed`, which the process that starts the workers chooses for them."""
    if hasattr(config, "workerinput"):
        given = config.workerinput["choice"]
        return given and Choice(*given)
    if not config.option.changed:
        return None
    try:
        changed = changed_files(ROOT, config.option.changed)
        return choose(ROOT, changed, reworded_files(ROOT, config.option.changed, changed))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tells a worker of pytest-xdist which tests were chosen."""
    choice = node.config.choice
    node.workerinput["choice"] = choice and tuple(choice)


def pytest_report_header(config):
    """Names the tests that were chosen, and why."""
    choice = config.choice
    if choice is None:
        return None
    if choice.everything:
        return f"everything runs: {choice.everything}"
    lines = [f"  {path}: {reason}" for path, reason in choice.files.items()]
    lines += [f"  smoke run of {recipe}: changed" for recipe in sorted(choice.recipes)]
    return [f"{len(choice.files)} test files are reached by the change", *lines]


def pytest_ignore_collect(collection_path, config):
    """Leaves out files without a quick test, and those that no change reaches."""
    in_room = collection_path.parent == TESTS and collection_path.name in ROOMS_AROUND_MODELS
    if in_room and config.option.markexpr == "quick":
        return True
    choice = config.choice
    if not choice or choice.everything or not collection_path.name.startswith("test_"):
        return None
    path = str(collection_path.relative_to(ROOT))
    by_recipe = choice.recipes and path == "tests/recipes/test_recipes.py"
    return None if by_recipe or path in choice.files else True


def _choose_items(config, items) -> None:
    """Marks the tests of changed classes and recipes, and leaves out those of the others."""
    choice = config.choice
    imports = imports_of(ROOT)

    def own(name):  # Changed modules; of those of which words alone changed, the one that has it.
        return choice.modules | (imports.module(name) & choice.reworded)

    changed = {name for name in MODELS if imports.changed_itself(name, own(name))}
    if len(changed) > MOST_CHANGED:
        changed = set()  # dear contracts run for the class that stands for each pattern alone
    kept, left_out = [], []
    for item in items:
        name = _subject(item)
        if name is None:
            kept.append(item)
            continue
        if name in choice.recipes or name in changed:
            item.add_marker("changed")
        whole = str(item.path.relative_to(ROOT)) in choice.whole
        if whole or name in choice.recipes or imports.owned(name) & own(name):
            kept.append(item)
        else:
            left_out.append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


def _subject(item) -> str | None:
    """The class, function, or recipe that a contract or a smoke run is repeated for."""
    room = item.path.relative_to(TESTS).parts[0]
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    names = [getattr(value, "__name__", value) for value in values]
    known = {"contracts": MODELS, "recipes": RECIPES}.get(room, ())
    if str(item.path.relative_to(ROOT)) == FUNCTIONS:
        known = {name for name in names if isinstance(name, str) and "." in name}
    return next((name for name in names if isinstance(name, str) and name in known), None)


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

    from seeding import start_over

    policy = keras.config.dtype_policy()
    start_over(0)
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
    """Prints how many classes' steps were checked, and what one more model class costs."""
    seconds: collections.Counter = collections.Counter()
    steps = set()
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            node = getattr(report, "nodeid", "")
            name = re.search(r"\[.*?([A-Z]\w+)", node)
            if "tests/contracts/" in node and name:
                seconds[name[1]] += getattr(report, "duration", 0.0)
                if outcome == "passed" and "/test_steps.py::" in node:
                    steps.add(name[1])
    if steps:
        terminalreporter.write_line(f"steps of {len(steps)} of {len(MODELS)} classes were checked")
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
