"""Makes the graphs of exports smaller by removing information that TensorFlow can infer."""

from pathlib import Path

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

GRAPH = "saved_model.pb"
FINGERPRINT = "fingerprint.pb"


def drop_hints(folder: Path) -> None:
    """Removes redundant hints from the graph of a SavedModel, which saves a fifth of its size.

    There are two types of hints. The first type is the shapes of all tensors except the inputs,
    because TensorFlow infers these shapes when it loads the graph. The second type is the names of
    the operations that functions wait for; these names are replaced with numbers. The shapes of the
    inputs are kept, because other runtimes read them. The fingerprint of the original graph is
    deleted.
    """
    file = folder / GRAPH
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for meta_graph in saved.meta_graphs:
        graph = meta_graph.graph_def
        _drop(graph.node)
        for function in graph.library.function:
            function.attr.pop("_input_shapes", None)
            for place, argument in enumerate(function.signature.input_arg):
                if argument.type == types_pb2.DT_RESOURCE:  # a variable
                    function.arg_attr.pop(place, None)
            _drop(function.node_def)
            _number_control_outputs(function)
    file.write_bytes(saved.SerializeToString(deterministic=True))
    (folder / FINGERPRINT).unlink(missing_ok=True)


def _drop(nodes) -> None:
    for node in nodes:
        node.attr.pop("_output_shapes", None)


def _number_control_outputs(function) -> None:
    operations = [function.control_ret[name] for name in function.signature.control_output]
    names = [str(number) for number in range(len(operations))]
    function.signature.control_output[:] = names
    function.control_ret.clear()
    function.control_ret.update(dict(zip(names, operations, strict=True)))
