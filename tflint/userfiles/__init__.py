"""Reads users' TOML and JSON files with positions for errors, and validates them against tflint's JSON schemas."""
