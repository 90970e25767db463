"""A model as tables: the flatbuffer's own contents under the names of schema.fbs, the metadata decoded.

Takes sources, gives `Tables` of one or many models; refuses to know what is good or bad.
"""
