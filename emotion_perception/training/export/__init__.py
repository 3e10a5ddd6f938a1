"""Model bundles from training runs: calibration, export formats, quantization, model card."""
