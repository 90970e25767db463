"""One module per command, each with `add_parser` and a function that runs the command and returns its exit code."""
