"""Models as tables: the contents of the flatbuffer with the names of schema.fbs, and the decoded metadata.

Input: sources. Output: `Tables` of one or several models. Must not judge models.
"""
