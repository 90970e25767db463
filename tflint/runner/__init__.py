"""Runs a plan over inputs: opens models, checks them in batches and processes, applies suppressions.

`model_loader` opens models behind paths and bytes, `scheduler` runs the engine group by group, and `suppression`
builds the reports of contracts and applies suppressions and baselines. Must not know output formats.
"""
