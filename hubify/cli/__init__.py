"""The command line: the server, its keys, its skills, and any function by name."""
