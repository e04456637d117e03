"""The reactive core: transactions, one log, subscriptions. No await, no I/O of its own, no clock."""
