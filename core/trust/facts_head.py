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


def _compile(classifier: Classifier):
    import tensorflow as tf

    head = classifier.head

    def run(feature_map, metadata):
        def aligned(operation):
            """The operation, with what belongs to the photo repeated for each patient where it meets facts."""

            def call(*args, **kwargs):
                given = [x for x in keras.tree.flatten((args, kwargs)) if tf.is_tensor(x) and x.shape.rank]
                if len({x.shape[0] for x in given}) > 1:
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
