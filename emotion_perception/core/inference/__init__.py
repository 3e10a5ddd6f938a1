"""Ways to run a network: onnxruntime, torch, fail-over between devices, and dynamic batching."""
