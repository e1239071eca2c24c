"""The services that make the status document."""
