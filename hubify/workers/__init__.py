"""Loops that watch rows and call the backend: jobs, crons, retention."""
