"""What a value is: ids, keys, intervals, rows, errors and bounds. Pure; imports nothing of ours."""
