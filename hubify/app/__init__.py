"""Settings, the composition root, and the server process."""
