"""Reads TOML and JSON files of users with positions for errors, and validates them against tflint's JSON schemas."""
