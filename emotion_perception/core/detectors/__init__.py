"""One module for each face detector; `core.detection` chooses between them."""
