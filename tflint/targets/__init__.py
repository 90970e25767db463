"""Runtimes, which are read from data files, and declared targets. This package must not know models."""
