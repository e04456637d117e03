"""The deterministic simulator and its oracles."""
