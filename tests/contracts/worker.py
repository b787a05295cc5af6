"""One of several workers: trains a tiny model and writes its state and losses.

Arguments: name of the model's class, number of epochs, file to write.
"""

import json
import sys

import numpy as np

from keras_gen.training import make_strategy

if __name__ == "__main__":
    name, epochs, path = sys.argv[1:]
    strategy = make_strategy("multiworker")  # before TensorFlow is used for anything else
    assert strategy.num_replicas_in_sync == 2
    from all_tiny import TINY
    from tiny import batches, prepared, state

    with strategy.scope():
        model = TINY[name].compiled()
    data = batches(prepared(model))
    history = model.fit(data, epochs=int(epochs), verbose=0).history
    arrays = {f"v{i}": value for i, value in enumerate(state(model))}
    losses = {key: [float(value) for value in values] for key, values in history.items()}
    np.savez(path, losses=json.dumps(losses), **arrays)
