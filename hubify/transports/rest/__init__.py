"""REST: the routes that functions declare, in the dialects that their pages document.

Invariant: everything here is projected from the registry; no function or domain is named.
"""
