"""The command line: takes arguments and returns an exit code."""
