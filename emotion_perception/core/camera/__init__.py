"""Camera sources, the thread that reads them, and their frame rate."""
