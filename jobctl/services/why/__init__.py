"""The services that explain the state of a job or an item."""
