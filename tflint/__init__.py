"""tflint: a static linter for TensorFlow Lite models."""
