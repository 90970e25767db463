"""Runs rules over tables: selects the rules and targets, and collects findings and what was not checked.

Input: rules, tables and targets. Output: findings. Must not know output formats.
"""
