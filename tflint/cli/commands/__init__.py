"""The commands, one module each, with `add_parser` and a function that runs the command and returns the exit code."""
