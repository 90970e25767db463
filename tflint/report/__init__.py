"""Reports, a module for each format (`formats` lists them). Takes a report, gives text; refuses to know files."""
