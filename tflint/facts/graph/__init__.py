"""Facts of the graph: producers and consumers, operand roles, sizes, reachability, custom options, stored indices."""
