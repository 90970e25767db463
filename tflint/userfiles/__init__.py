"""Reads the TOML and JSON files of users, validates them against JSON schemas, and finds the positions of errors."""
