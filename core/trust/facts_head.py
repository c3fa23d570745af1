"""A network's head on one photo and many patients at once: what concerns the photo alone runs once, whatever the number."""

import keras
import numpy as np

from core.networks import Classifier

_SLOT = "_head_for_many_facts"


def many_facts(classifier: Classifier, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
    """Logits of one photo for many patients.

    The head of a hundred patients costs about as much as that of one: up to where facts come in, nothing is repeated. Works for any
    functional head, an ensemble's too, whose members are heads within the head.

    Args:
        feature_map: (h, w, C).
        metadata: (N, D), encoded facts.

    Returns:
        (N, 7) float32.
    """
    slots = vars(classifier)
    run = slots.get(_SLOT) or slots.setdefault(_SLOT, _compile(classifier))
    return run(np.asarray(feature_map, "float32")[None], np.asarray(metadata, "float32")).numpy()


class _Parts:
    """Tensors that a head joins along the last axis, of the photo (1, ..., C) and of patients (N, ..., D), not joined yet.

    A dense layer of the joined tensor is the sum of what it makes of each: the photo's part, by far the widest, then is calculated
    once and not for each patient.
    """

    def __init__(self, tensors: list):
        self._tensors = tensors

    def through(self, dense: keras.layers.Dense):
        """What a dense layer gives for the joined tensor."""
        import tensorflow as tf

        kernels = tf.split(tf.convert_to_tensor(dense.kernel), [x.shape[-1] for x in self._tensors])
        total = sum(tf.tensordot(x, kernel, 1) for x, kernel in zip(self._tensors, kernels, strict=True))
        total = total + tf.convert_to_tensor(dense.bias) if dense.use_bias else total
        return total if dense.activation is None else dense.activation(total)

    def joined(self, patients):
        """The tensors joined, for so many patients."""
        import tensorflow as tf

        return tf.concat([tf.repeat(x, patients, axis=0) if x.shape[0] == 1 else x for x in self._tensors], axis=-1)


def _compile(classifier: Classifier):
    import tensorflow as tf

    head = classifier.head

    def run(feature_map, metadata):
        def aligned(operation):
            """The operation, with what belongs to the photo repeated for each patient where it meets facts."""

            def call(*args, **kwargs):
                if isinstance(operation, keras.layers.Dropout):
                    return args[0]  # nothing is dropped here
                if args and isinstance(args[0], _Parts):
                    if isinstance(operation, keras.layers.Dense) and operation.compute_dtype == "float32":
                        return args[0].through(operation)
                    args = args[0].joined(tf.shape(metadata)[0]), *args[1:]
                given = [x for x in keras.tree.flatten((args, kwargs)) if tf.is_tensor(x) and x.shape.rank]
                if len({x.shape[0] for x in given}) > 1:
                    last = -1, given[0].shape.rank - 1
                    if isinstance(operation, keras.layers.Concatenate) and operation.axis in last:
                        return _Parts(given)
                    patients = tf.shape(metadata)[0]
                    args, kwargs = keras.tree.map_structure(
                        lambda x: (
                            tf.repeat(x, patients, axis=0)
                            if tf.is_tensor(x) and x.shape.rank and x.shape[0] == 1
                            else x
                        ),
                        (args, kwargs),
                    )
                return operation(*args, **kwargs)

            def walk(*args, **kwargs):
                # Keras walks a functional network's graph; each operation is handed back to `aligned`.
                return operation._run_through_graph(keras.tree.flatten((args, kwargs)), operation_fn=aligned)

            return walk if isinstance(operation, keras.Model) else call

        inputs = classifier.head_inputs(feature_map, metadata)
        logits = tf.cast(aligned(head)(*inputs)[0], "float32")
        return logits if classifier.uses_metadata else tf.repeat(logits, tf.shape(metadata)[0], axis=0)

    shapes = (1, *head.inputs[0].shape[1:]), (None, None)
    return tf.function(run, input_signature=[tf.TensorSpec(shape, "float32") for shape in shapes])
