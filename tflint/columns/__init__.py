"""Tables of named columns (numpy) and their types. Refuses to know TFLite or files. Importing this imports nothing."""
