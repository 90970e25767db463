"""Reads users' TOML and JSON files, with positions for errors, and checks them against tflint's JSON schemas."""
