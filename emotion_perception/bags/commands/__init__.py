"""The sub-commands of `emotion-perception` that work on recordings, one module each."""
