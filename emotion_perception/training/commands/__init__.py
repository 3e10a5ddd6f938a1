"""The command lines of the training module, one file a sub-command; what is heavy is imported when it runs."""
