"""The rule language: typed expressions over columns, in a subset of Python's expression syntax.

Takes an expression and the types of the columns, gives a checked program; evaluates a program over columns. Nothing is
ever executed as Python. Refuses to know files, TOML and rules.

Semantics, in short. A number is a 64-bit float (IEEE: 1/0 is inf, 0/0 is nan). A value is present, absent (the file
does not have it) or unknown (it could not be determined). An operation with an unknown operand is unknown, else with
an absent one absent. `and`, `or`, `not` are Kleene's: a false operand decides `and`, a true one `or`; else unknown,
then absent, wins. Operations map over lists; a single value or a list of length one goes with every element, other
unequal lengths make an unknown list. A single operand that is not there makes the whole list so; in `and` and `or` it
stands for each element, and whether there is a list is the list's business alone. Folds leave absent elements out; an
unknown element makes a fold unknown, unless `all` has a false or `any` a true one. `count` counts unknown elements
(of bools it counts the true ones, and is unknown); `first` and `x[i]` look at their element only. An absent or unknown
list folds to absent or unknown; `has` is always true or false, and true of the unknown. What a table does not have, is
unknown to `lookup`.
"""
