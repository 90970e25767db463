"""Attacks and faults that tflint must withstand, a module for each way in."""
