"""The rule language: typed expressions over columns, in a subset of Python's expression syntax.

Input: an expression and the types of columns. Output: a checked program, which is then evaluated over columns; nothing
is executed as Python. Must not know files, TOML or rules.

Semantics:

- A number is a 64-bit float (IEEE: 1/0 is inf, 0/0 is nan).
- A value is present, absent (not in the file) or unknown (could not be determined). The result of an operation is
  unknown if an operand is unknown, else absent if an operand is absent.
- `and`, `or` and `not` follow Kleene's logic: a false operand decides `and`, a true one decides `or`. Otherwise an
  unknown operand takes precedence over an absent one.
- Operations map over lists. A single value or a list of length one is combined with every element; lists of other,
  different lengths give an unknown list. A single absent or unknown operand makes the whole list absent or unknown. In
  `and` and `or`, it counts for each element instead, and only the lists decide whether the result is present.
- Folds skip absent elements. An unknown element makes a fold unknown, unless `all` has a false or `any` a true element.
  `count` includes unknown elements; for bools it counts the true elements, and an unknown element makes it unknown.
  `first` and `x[i]` depend on their element only. An absent or unknown list folds to absent or unknown.
- `has` is always true or false, and true for unknown values.
- `lookup` is unknown for keys that the table does not have.
"""
