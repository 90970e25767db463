"""The rule language: typed expressions over columns, in a subset of Python's expression syntax.

Input: an expression and the types of columns. Output: a checked program, which an evaluator then runs over columns.
Nothing is executed as Python. Must not know files, TOML or rules.

Semantics:

- A number is a 64-bit float (IEEE: 1/0 is inf, 0/0 is nan).
- A value is present, absent (not in the file) or unknown (could not be determined). The result of an operation is
  unknown if an operand is unknown, else absent if an operand is absent.
- `and`, `or` and `not` follow Kleene's logic: a false operand makes `and` false, and a true operand makes `or` true.
  Otherwise the result is unknown if an operand is unknown, else absent if an operand is absent.
- Operations apply to each element of a list. A single value, or a list of length one, is combined with every element of
  the other operand. Two lists of other, different lengths give an unknown list. If a single value is absent or unknown,
  the whole resulting list is absent or unknown, except in `and` and `or`: there, the single value is combined with each
  element, and the result is present if the lists are.
- Folds skip absent elements. An unknown element makes the result of a fold unknown, unless a false element decides
  `all` or a true element decides `any`. `count` includes unknown elements. `count` of bools counts the true elements,
  and an unknown element makes the result unknown. `first` and `x[i]` depend only on the element that they return. The
  fold of an absent list is absent; the fold of an unknown list is unknown.
- `has` is always true or false; it is true for unknown values.
- `lookup` is unknown for keys that the table does not have.
"""
