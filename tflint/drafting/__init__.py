"""Drafts of contracts: what a model's bytes and metadata say of its caller, and what can only be guessed.

Takes a portrait, gives the text of a contract; refuses to make the model's own numbers a claim: a normalization that
was read off a scale would always agree with that scale.
"""

from tflint.drafting.draft import draft

__all__ = ["draft"]
