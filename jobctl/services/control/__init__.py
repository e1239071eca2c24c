"""Changing jobs and queues: cancel, pause, resume, retry, set, prune."""
