"""Precision by name and by what the machine computes in."""

from pathlib import Path

import pytest
import tensorflow as tf

from keras_gen.workshop.run import devices


def test_by_name():
    assert devices.choose_policy("none") == "float32"
    assert devices.choose_policy("float16") == "mixed_float16"


@pytest.mark.parametrize(
    ("flags", "policy"), [("fpu sse avx512f", "float32"), ("fpu avx512_bf16", "mixed_bfloat16")]
)
def test_auto_asks_the_processor(tmp_path, monkeypatch, flags, policy):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(devices, "Path", lambda path: tmp_path / Path(path).name)
    assert devices.choose_policy("auto") == policy


@pytest.mark.parametrize(
    ("capability", "policy"), [((7, 5), "float32"), ((8, 0), "mixed_bfloat16")]
)
def test_auto_asks_the_gpu(monkeypatch, capability, policy):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU"])
    details = {"compute_capability": capability, "device_name": "Card"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert devices.choose_policy("auto") == policy
    text = devices.describe_devices(tf.distribute.get_strategy())
    assert text == "Card"
