"""Tests of tflint, and the models they are run on."""
