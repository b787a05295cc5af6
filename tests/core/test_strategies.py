"""Strategies: made where they can run, refused with the reason where not."""

import json
import time

import pytest
import tensorflow as tf

from forked import run_script
from keras_gen.core import STRATEGIES, distribution, is_chief, make_strategy

WORKERS = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}


def tf_config(monkeypatch, cluster, kind, index):
    config = {"cluster": cluster, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))


def test_default_and_auto(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name in ("default", "auto"):
        assert make_strategy(name).num_replicas_in_sync == 1
    # Some platforms set it for single machines too.
    for nothing in ("", "{}", '{"environment": "cloud"}'):
        monkeypatch.setenv("TF_CONFIG", nothing)
        assert make_strategy("auto").num_replicas_in_sync == 1


def test_mirrored_takes_all_devices():
    strategy = make_strategy("mirrored")
    assert isinstance(strategy, tf.distribute.MirroredStrategy)
    assert strategy.num_replicas_in_sync == 2
    assert make_strategy("mirrored") is strategy


def test_mirrored_needs_several_devices(monkeypatch):
    devices = tf.config.list_logical_devices
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices(kind)[:1])
    with pytest.raises(
        ValueError, match=r"has only .*CPU:0: expected at least two devices.* default\.$"
    ):
        make_strategy("mirrored")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "no json",
        "[1]",
        json.dumps({"cluster": WORKERS}),
        json.dumps({"cluster": WORKERS, "task": {"type": "worker", "index": 2}}),
        json.dumps({"cluster": WORKERS, "task": {"type": "chief", "index": 0}}),
    ],
)
def test_multiworker_needs_a_whole_tf_config(monkeypatch, value):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if value is not None:
        monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(
        ValueError, match="requires the environment variable TF_CONFIG with"
    ) as error:
        make_strategy("multiworker")
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("name", ["multiworker", "auto"])
def test_multiworker_comes_before_all_else(monkeypatch, name):
    monkeypatch.setattr(distribution, "wait_for_others", lambda *_: None)
    tf.config.list_logical_devices()  # starts the runtime
    tf_config(monkeypatch, WORKERS, "worker", 0)
    with pytest.raises(ValueError, match="before TensorFlow is used for anything else"):
        make_strategy(name)


def test_a_failure_to_find_a_tpu_is_one_sentence(monkeypatch):
    def fail(tpu):
        raise ValueError("Nothing there. All of it:\nlines")

    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", fail)
    with pytest.raises(ValueError, match=r"found on this machine \(Nothing there\): use --strat"):
        make_strategy("tpu")


@pytest.mark.thorough
def test_tpu_is_refused_soon(tmp_path):
    """In a process of its own, because looking for TPUs changes the runtime."""
    code = tmp_path / "code.py"
    code.write_text("from keras_gen.core import make_strategy; make_strategy('tpu')")
    began = time.monotonic()
    last = run_script(code).stderr.strip().splitlines()[-1]
    assert "ValueError: --strategy is tpu, but no TPU was found on this machine (" in last
    assert last.endswith("use --strategy default.")
    assert time.monotonic() - began < 60


def test_unknown_name():
    with pytest.raises(ValueError, match=f"'gpu': expected one of {', '.join(STRATEGIES)}"):
        make_strategy("gpu")


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "expected"),
    [
        (WORKERS, "worker", 0, True),
        (WORKERS, "worker", 1, False),
        (WORKERS, "worker", "0", True),
        ({"chief": ["a:1"], **WORKERS}, "chief", 0, True),
        ({"chief": ["a:1"], **WORKERS}, "worker", 0, False),
        (WORKERS, "evaluator", 0, False),
    ],
)
def test_one_process_is_chief(monkeypatch, cluster, kind, index, expected):
    tf_config(monkeypatch, cluster, kind, index)
    assert is_chief() is expected


def test_a_lone_process_is_chief(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert is_chief()
    monkeypatch.setenv("TF_CONFIG", "broken")
    with pytest.raises(ValueError, match="found 'broken'"):
        is_chief()
