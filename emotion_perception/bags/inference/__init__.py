"""Predictions for the frames of a recording: computed now, or as recorded."""
