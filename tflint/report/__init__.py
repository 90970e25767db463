"""Reports in one format each: text, JSON, SARIF. Takes a report, gives text; refuses to know the file system."""
