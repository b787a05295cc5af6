"""One of several workers: trains a tiny model and writes its state and losses.

Arguments: the worker's number, name of the model's class, number of epochs, folder to write to.
"""

import json
import sys
from pathlib import Path

import numpy as np

from keras_gen.core import make_strategy

if __name__ == "__main__":
    index, name, epochs, folder = sys.argv[1:]
    strategy = make_strategy("multiworker")  # before TensorFlow is used for anything else
    assert strategy.num_replicas_in_sync == 2
    from all_tiny import TINY
    from tiny import batches, losses_of, prepared, state

    with strategy.scope():
        model = TINY[name].compiled()
    data = batches(prepared(model))
    history = losses_of(model.fit(data, epochs=int(epochs), verbose=0).history)
    arrays = {f"v{i}": value for i, value in enumerate(state(model))}
    losses = {key: [float(value) for value in values] for key, values in history.items()}
    np.savez(Path(folder, index), losses=json.dumps(losses), **arrays)
