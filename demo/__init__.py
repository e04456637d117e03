"""The demonstration: sample skills, and a fleet of simulated agents that report on them."""
