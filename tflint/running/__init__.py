"""What a run is made of: opening what is given, checking it group by group, and marking what does not count.

`opening` finds models behind paths and bytes, `groups` runs rules over them in batches and processes, `marking` gives
contracts reports of their own and applies suppressions and baselines.
"""
