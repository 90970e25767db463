"""Attacks and faults that tflint must withstand, one module per entry point."""
