"""Tests of tflint and their models."""
