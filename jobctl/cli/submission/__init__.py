"""What ``submit`` and ``run`` share: their options, and the request that a command line means."""
