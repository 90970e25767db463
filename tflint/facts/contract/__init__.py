"""The tables of contracts, and the facts about what callers feed and expect beside what a model holds."""
