"""Image buffers, compressed image headers and box geometry."""
