"""Facts about the graph: producers, consumers, operand roles, sizes, reachability, custom options, stored indices."""
