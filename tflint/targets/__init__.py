"""Runtimes and declared targets, read from data files. Must not know models."""
