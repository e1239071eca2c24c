"""The shared part of ``submit`` and ``run``: their options, their checks, and the request that they make."""
