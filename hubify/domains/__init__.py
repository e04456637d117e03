"""The product, one page per module: tables, errors, rules, functions, in that order."""
