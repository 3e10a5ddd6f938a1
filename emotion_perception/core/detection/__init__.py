"""Face detectors behind one interface, and the filter that rejects non-faces."""
