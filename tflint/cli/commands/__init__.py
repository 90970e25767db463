"""The commands. Each module has `add_parser`, and a function that runs the command and returns the exit code."""
