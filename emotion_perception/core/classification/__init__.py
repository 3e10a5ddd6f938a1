# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""From face crops to emotions: model bundles, preprocessing, classification and smoothing."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.classification.classifier import EmotionClassifier, create_classifier
    from emotion_perception.core.classification.labels import LABELS, canonical_label, label_index
    from emotion_perception.core.classification.load_shedding import LoadShedder
    from emotion_perception.core.classification.model_bundle import (
        BASELINE_ENDING,
        INT8_SUFFIX,
        ModelBundle,
        load_model_bundle,
        load_spec,
        read_weights,
        replace_onnx,
        replace_spec,
        save_baseline,
        save_model,
        save_onnx_variant,
        shipped_models,
        to_half,
    )
    from emotion_perception.core.classification.model_spec import NORMALIZATIONS, ModelSpec
    from emotion_perception.core.classification.options import ClassifierOptions, RecognizerOptions
    from emotion_perception.core.classification.preprocessing import gray_range, to_batch, to_input
    from emotion_perception.core.classification.probabilities import softmax
    from emotion_perception.core.classification.recognizer import EmotionRecognizer
    from emotion_perception.core.classification.resting_head import RestingHead
    from emotion_perception.core.classification.smoothing import EmotionSmoother
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "classifier": ("EmotionClassifier", "create_classifier"),
            "labels": ("LABELS", "canonical_label", "label_index"),
            "load_shedding": ("LoadShedder",),
            "model_bundle": (
                "BASELINE_ENDING",
                "INT8_SUFFIX",
                "ModelBundle",
                "load_model_bundle",
                "load_spec",
                "read_weights",
                "replace_onnx",
                "replace_spec",
                "save_baseline",
                "save_model",
                "save_onnx_variant",
                "shipped_models",
                "to_half",
            ),
            "model_spec": ("NORMALIZATIONS", "ModelSpec"),
            "options": ("ClassifierOptions", "RecognizerOptions"),
            "preprocessing": ("gray_range", "to_batch", "to_input"),
            "probabilities": ("softmax",),
            "recognizer": ("EmotionRecognizer",),
            "resting_head": ("RestingHead",),
            "smoothing": ("EmotionSmoother",),
        },
    )

__all__ = [
    "BASELINE_ENDING",
    "INT8_SUFFIX",
    "LABELS",
    "NORMALIZATIONS",
    "ClassifierOptions",
    "EmotionClassifier",
    "EmotionRecognizer",
    "EmotionSmoother",
    "LoadShedder",
    "ModelBundle",
    "ModelSpec",
    "RecognizerOptions",
    "RestingHead",
    "canonical_label",
    "create_classifier",
    "gray_range",
    "label_index",
    "load_model_bundle",
    "load_spec",
    "read_weights",
    "replace_onnx",
    "replace_spec",
    "save_baseline",
    "save_model",
    "save_onnx_variant",
    "shipped_models",
    "softmax",
    "to_batch",
    "to_half",
    "to_input",
]
