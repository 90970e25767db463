"""Tables about runs of models: what a runtime did with a model. They have rows only if models were run."""
