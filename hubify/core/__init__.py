"""The reactive core: transactions, one log, subscriptions; no await, no I/O, no clock."""
