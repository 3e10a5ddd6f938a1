"""The programs that `emotion-perception benchmark` runs to measure the nodes."""
