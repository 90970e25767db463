"""Development tools, each a command of its own: scaffolds, generated files, comparisons. Not part of the package."""
