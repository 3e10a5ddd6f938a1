"""Frame accounting and the pairing of images with results by equal stamps."""
