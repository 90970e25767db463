"""The cache: stores what runs printed and the reports of files, and returns them while nothing has changed.

Must not import numpy. `run_record` and the modules that it imports also avoid most of the standard library, because
they run before anything else does.
"""
