"""The report of one or several recordings."""
