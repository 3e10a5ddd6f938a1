"""The command line of the benchmark; what is heavy is imported when it runs."""
