"""Tables of named numpy columns and their types. Must not know TFLite or files. The package itself imports nothing."""
