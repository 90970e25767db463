"""Tables of named numpy columns and their types. Must not know TFLite or files. Importing this imports nothing."""
