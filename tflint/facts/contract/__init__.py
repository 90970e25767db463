"""The tables of contracts, and facts that compare contracts with their models."""
