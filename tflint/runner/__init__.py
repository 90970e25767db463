"""Runs a plan over paths and models: opens models, checks them in batches and processes, applies suppressions.

`model_loader` opens models from paths and bytes. `scheduler` runs the engine group by group. `contract_reports` builds
the reports of contracts. `suppression` applies suppressions and baselines. This package must not know output formats.
"""
