"""The real sides of ports."""
