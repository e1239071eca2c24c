"""The services that change jobs and queues: cancel, pause, resume, retry, set and prune."""
