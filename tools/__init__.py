"""Development tools, each run as `python -m tools.NAME`. Not part of the package."""
