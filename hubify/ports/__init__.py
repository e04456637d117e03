"""The outside world as small protocols; the real sides live in `adapters`, fakes in `testing`."""
