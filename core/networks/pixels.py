"""Each backbone's own pixel normalisation, as a layer inside its encoder."""

import keras
from keras import ops

from core.choices import check_choice

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SD = (0.229, 0.224, 0.225)
CAFFE_BGR_MEAN = (103.939, 116.779, 123.68)
PIXELS = ("raw", "tf", "torch", "caffe")


@keras.saving.register_keras_serializable(package="melascope")
class NormalizePixels(keras.layers.Layer):
    """RGB 0..255 to what a backbone was trained on.

    "raw": unchanged (the network rescales itself). "tf": x/127.5 - 1. "torch": x/255, ImageNet mean and standard
    deviation. "caffe": BGR minus the channel means, no scaling.

    Reference: docs/reproduction.md, section 1, "Preprocessing", column "correct".

    Args:
        mode: one of `PIXELS`.
    """

    def __init__(self, mode: str, **kwargs):
        super().__init__(**kwargs)
        check_choice("pixel mode", mode, PIXELS)
        self.mode = mode

    def call(self, image):
        """Normalises an image (B, S, S, 3), RGB 0..255; same shape out."""
        if self.mode == "tf":
            return image / 127.5 - 1.0
        if self.mode == "torch":
            mean, sd = (ops.convert_to_tensor(v, image.dtype) for v in (IMAGENET_MEAN, IMAGENET_SD))
            return (image / 255.0 - mean) / sd
        if self.mode == "caffe":
            return ops.flip(image, axis=-1) - ops.convert_to_tensor(CAFFE_BGR_MEAN, image.dtype)  # pyright: ignore[reportOperatorIssue]
        return image

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
