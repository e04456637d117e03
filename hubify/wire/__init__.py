"""What crosses the network: values as JSON, function paths, messages of the sync protocol."""
