"""From face crops to emotions: model bundles, preprocessing, classification and smoothing."""
