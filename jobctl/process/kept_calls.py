"""What a supervisor of an earlier release imports with ``engine.supervisor_calls``; that module says why."""


class KeptCalls:
    """Keeps nothing: outcomes in the file wait for the supervisor of the new release."""

    def __init__(self, path: str) -> None:
        self.path = path
