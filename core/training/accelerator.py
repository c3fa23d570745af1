"""What the machine offers: mixed precision and several GPUs, through Keras alone."""

import platform

import keras


def count_gpus() -> int:
    """GPUs (or TPU cores) that the Keras backend sees."""
    for kind in ("gpu", "tpu"):
        try:
            devices = keras.distribution.list_devices(kind)
        except (NotImplementedError, AttributeError, RuntimeError, ValueError):
            continue
        if devices:
            return len(devices)
    return 0


def prepare_accelerator(mixed_precision: bool = True) -> str:
    """Switches mixed precision on where there is an accelerator, and data parallelism where there are several.

    Returns:
        What is used, in words, for the card.
    """
    gpus = count_gpus()
    if gpus and mixed_precision:
        keras.mixed_precision.set_global_policy(
            "mixed_float16" if keras.backend.backend() != "jax" else "mixed_bfloat16"
        )
    if gpus > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    what = f"{gpus} GPU" if gpus else f"CPU ({platform.machine()})"
    return f"{what}, {keras.backend.backend()} backend, {keras.mixed_precision.global_policy().name}"


def jit_mode() -> str | bool:
    """Keras' `jit_compile`: XLA is slower than TensorFlow's own kernels for depthwise convolutions on a CPU."""
    return "auto" if keras.backend.backend() == "jax" or count_gpus() else False
