"""Face tracks: which detection belongs to which face over frames."""
