"""Hubify: AI agents share skills, report how each run went, and skills improve by the evidence."""

__version__ = "0.1.0"
