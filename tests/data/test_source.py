"""Sources: exact resuming, permutations, pure augmentation, sharding, and clear refusals."""

import json
from itertools import islice

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from forked import run_workers
from keras_gen.data import Source
from keras_gen.data.source import Stack


def numbers(n):
    return Source(np.arange(n))


def add_noise(example, seed):
    return tf.cast(example, tf.float32) + tf.random.stateless_uniform([], seed)


def batches(dataset, count):
    return [
        tf.nest.map_structure(np.array, batch)
        for batch in islice(dataset.as_numpy_iterator(), count)
    ]


def drawn(source, batch_size, count, **arguments):
    return np.concatenate(batches(source.stream(batch_size, **arguments), count))


@pytest.mark.thorough
@pytest.mark.parametrize("augment", [None, add_noise])
@pytest.mark.parametrize("start", [1, 3, 10])
def test_a_stream_resumes_where_it_stopped(augment, start):
    source = numbers(7)
    unbroken = batches(source.stream(3, seed=5, augment=augment), 14)[start:]
    resumed = batches(source.stream(3, seed=5, start=start, augment=augment), 14 - start)
    np.testing.assert_array_equal(unbroken, resumed)


def test_a_far_start_is_immediate_and_in_the_right_epoch():
    start = 10**12 * 7 // 7
    source = numbers(7)
    later = drawn(source, 7, 1, start=start)
    assert sorted(later) == list(range(7))
    assert not np.array_equal(later, drawn(source, 7, 1, start=start + 1))


@pytest.mark.parametrize("size", [1, 2, 5, 16, 1000])
def test_every_epoch_is_a_permutation(size):
    epochs = drawn(numbers(size), size, 5).reshape(5, size)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(size), [5, 1]))


def test_batches_run_across_the_ends_of_epochs():
    whole = drawn(numbers(7), 7, 3)
    np.testing.assert_array_equal(drawn(numbers(7), 3, 7), whole)


def test_all_orders_of_few_examples_come_equally_often():
    epochs = drawn(numbers(3), 3, 3000).reshape(3000, 3)
    _, counts = np.unique(epochs, axis=0, return_counts=True)
    assert len(counts) == 6 and np.abs(counts - 500).max() < 100  # a deviation is 20


def test_epochs_are_uncorrelated():
    # tf.random.experimental.index_shuffle alone gives 0.9 here; chance gives about 0.004.
    size = 60_000
    epochs = drawn(numbers(size), size, 6).reshape(6, size)
    correlation = np.corrcoef(np.concatenate([epochs, [np.arange(size)]]))
    assert np.abs(correlation - np.eye(7)).max() < 0.025


def test_seeds_change_the_order_and_nothing_else_does():
    first = drawn(numbers(100), 10, 10)
    np.testing.assert_array_equal(first, drawn(numbers(100), 10, 10))
    for seed in (1, 2**30, 2**31 - 1):
        assert not np.array_equal(first, drawn(numbers(100), 10, 10, seed=seed))


def test_augmentation_depends_on_seed_and_position_alone():
    source = Source(np.zeros(10))
    noise = drawn(source, 2, 20, augment=add_noise)
    assert len(np.unique(noise)) == 40  # no example, and no epoch, repeats another's noise
    np.testing.assert_array_equal(noise, drawn(source, 5, 8, augment=add_noise))
    assert not np.isin(drawn(source, 2, 20, seed=1, augment=add_noise), noise).any()


def test_decode_gives_the_same_stream_as_decoded_examples():
    source = Source(np.array([b"3", b"14", b"15"]), decode=tf.strings.to_number)
    decoded = Source(np.array([3.0, 14.0, 15.0], np.float32))
    assert source.element_spec == decoded.element_spec
    np.testing.assert_array_equal(source.arrays(), decoded.arrays())
    np.testing.assert_array_equal(drawn(source, 2, 6), drawn(decoded, 2, 6))
    np.testing.assert_array_equal(source.take(2).arrays(), [3, 14])


def test_finite_batches_come_in_order_with_the_remainder():
    parts = batches(numbers(7).batches(3), 10)
    assert [list(part) for part in parts] == [[0, 1, 2], [3, 4, 5], [6]]
    noisy = numbers(7).batches(3, augment=add_noise)
    np.testing.assert_array_equal(
        np.concatenate(batches(noisy, 10)), np.concatenate(batches(noisy, 10))
    )


def test_arrays_of_an_augmentation_are_those_of_its_batches():
    source = numbers(1500)
    parts = source.batches(1000, 3, augment_batch=add_noise).as_numpy_iterator()
    np.testing.assert_array_equal(source.arrays(3, add_noise), np.concatenate(list(parts)))
    pairs = Source((np.arange(3), np.arange(3.0)))
    first, second = pairs.arrays(1, lambda batch, seed: (batch[0], -batch[1]))
    np.testing.assert_array_equal(first, -second)


def test_decoded_examples_are_stored_once_and_refused_above_the_limit():
    encoded = Source(
        np.arange(250), lambda n: (n, {"odd": n % 2 == 1, "text": tf.strings.as_string(n)})
    )
    number, rest = encoded.map(lambda n, rest: (tf.cast(n, "float32"), rest)).arrays()
    expected = np.arange(250)
    for numbers, fields in ((number, rest), encoded.arrays()):
        np.testing.assert_array_equal(numbers, expected)
        np.testing.assert_array_equal(fields["odd"], expected % 2 == 1)
        assert fields["text"].tolist() == [b"%d" % n for n in expected]
    assert number.dtype == "float32"
    stack = Stack(3)
    stack.add(tf.constant([[1, 2]]))
    stack.add(tf.constant([[3, 4]]))
    (shared, values) = stack.tensors(), stack.arrays()
    values[1, 1] = 5  # a tensor that was a copy would not change
    np.testing.assert_array_equal(shared, [[1, 2], [3, 5]])
    images = Source(np.zeros(4, "uint8"), lambda level: tf.fill([16, 16, 1], level))
    sentence = r"need 9.54e-07 GiB .*: expected at most memory_limit=9.53e-07 GiB. Use stream"
    with pytest.raises(ValueError, match=sentence):
        images.arrays(memory_limit=1023)
    assert images.arrays(memory_limit=1024).shape == (4, 16, 16, 1)


def test_structures_keep_their_fields_together():
    source = Source({"x": np.arange(9), "y": -np.arange(9)})
    batch = next(iter(source.stream(9)))
    np.testing.assert_array_equal(batch["x"], -batch["y"])
    mapped = source.map(lambda example: (example["x"] * 2, example["y"]))
    np.testing.assert_array_equal(mapped.arrays()[0], 2 * np.arange(9))


def test_a_selection_keeps_what_is_asked_for():
    source = Source(np.array([b"3", b"14", b"15", b"9"]), decode=tf.strings.to_number, origin="pi")
    for index in (slice(1, 3), [1, 2], np.array([False, True, True, False])):
        np.testing.assert_array_equal(source.select(index).arrays(), [14, 15])
    assert source.select([0]).origin == "pi" and source.select([0], "three").origin == "three"
    for index in ([4], None, [[0, 1], [2, 3]], 1, "a", [True], (0, 0)):
        with pytest.raises(IndexError, match=r"^index is .*: expected a slice, indices from 0"):
            source.select(index)
    for count in (2, 9):
        some = source.some(count, np.random.default_rng(0)).arrays()
        again = source.some(count, np.random.default_rng(0)).arrays()
        np.testing.assert_array_equal(some, again)
        assert len(set(some)) == min(count, 4) and set(some) <= {3, 14, 15, 9}


def test_names_of_classes_stay():
    source = Source((np.zeros([4, 2]), np.arange(4) % 2), class_names=["cat", "dog"])
    mapped = source.map(lambda image, label: (image + 1, label))
    for kept in (source, source.take(2), source.select([3, 1]), mapped):
        assert kept.class_names == ("cat", "dog")
    assert numbers(3).class_names is None


def test_parts_of_a_dict_keep_their_names():
    """TensorFlow orders them by name: not as they were given."""
    source = Source({"x": np.arange(6.0), "label": np.arange(6)})

    def twice(example, seed):
        return {"x": 2 * example["x"], "label": example["label"]}

    for batch in (
        next(iter(source.stream(3, augment=twice))),
        next(iter(source.batches(3, augment_batch=twice))),
        source.map(lambda example: twice(example, None)).arrays(),
        source.arrays(0, twice),
    ):
        np.testing.assert_array_equal(batch["x"], 2 * batch["label"])


def test_specs_are_static_and_say_what_comes():
    images = Source((np.zeros([5, 4, 6, 3], "uint8"), np.arange(5)))
    assert images.element_spec == (tf.TensorSpec([4, 6, 3], tf.uint8), tf.TensorSpec([], tf.int64))
    for augment in (None, lambda example, seed: example):
        spec = images.stream(2, augment=augment).element_spec
        assert spec == (tf.TensorSpec([2, 4, 6, 3], tf.uint8), tf.TensorSpec([2], tf.int64))
    assert "5 examples" in repr(images)


def test_a_mistake_in_an_augmentation_shows_at_once():
    def broken(example, seed):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        numbers(5).stream(2, augment=broken)


def test_a_random_fraction_is_held_out():
    source = numbers(20)
    train, held_out = source.split(0.1, seed=3)
    parts = [train.arrays(), held_out.arrays()]
    assert [len(part) for part in parts] == [18, 2]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), source.arrays())
    again = source.split(0.1, seed=3)[1]
    assert again.checksum() == held_out.checksum() != source.split(0.1, seed=4)[1].checksum()
    for fraction in (0, 0.01, 0.99, 1):
        with pytest.raises(ValueError, match=r"^fraction is .*expected at least one example in"):
            source.split(fraction)
    for fraction in (-0.1, 1.5, np.nan):
        with pytest.raises(ValueError, match=r"^fraction is .*: expected"):
            source.split(fraction)
    with pytest.raises(TypeError, match=r"^seed is 0\.1: expected an integer\. .* split .* again"):
        source.split(0.1, 0.1)
    with pytest.raises(TypeError, match=r"^fraction is .*: expected a number"):
        source.split("half")


def test_a_table_whose_names_would_be_lost_is_refused():
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    for tensors in (frame, (frame, np.arange(2))):
        with pytest.raises(
            TypeError, match=r"^A Source got a DataFrame, whose column names it wou"
        ):
            Source(tensors)
    assert len(Source(frame["a"])) == 2


def test_two_replicas_split_every_global_batch():
    devices = tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        pytest.skip("needs two logical devices")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices[:2]])
    whole = batches(numbers(10).stream(4), 5)
    shared = iter(strategy.experimental_distribute_dataset(numbers(10).stream(4)))
    for batch in whole:
        parts = strategy.experimental_local_results(next(shared))
        assert [len(part) for part in parts] == [2, 2]
        np.testing.assert_array_equal(np.concatenate(parts), batch)


_WORKER = """
import json
import numpy as np, tensorflow as tf
from keras_gen.data import Source
strategy = tf.distribute.MultiWorkerMirroredStrategy()
def augment(example, seed):
    return tf.cast(example, tf.float32) + tf.random.stateless_uniform([], seed)
result = []
for function in (None, augment):
    data = iter(strategy.experimental_distribute_dataset(
        Source(np.arange(10)).stream(4, start=1, augment=function)))
    local = strategy.experimental_local_results
    result.append([local(next(data))[0].numpy().tolist() for _ in range(5)])
print("RESULT" + json.dumps(result))
"""


@pytest.mark.slow
def test_two_workers_split_every_global_batch(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(_WORKER)
    results = [json.loads(worker.stdout.partition("RESULT")[2]) for worker in run_workers(script)]
    for number, augment in enumerate([None, add_noise]):
        whole = batches(numbers(10).stream(4, start=1, augment=augment), 5)
        halves = np.array([result[number] for result in results])
        np.testing.assert_allclose(np.concatenate(halves, axis=-1), whole, rtol=1e-6)
