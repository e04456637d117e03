"""The faces: each projects the registry of functions onto one protocol, and knows no other face."""
