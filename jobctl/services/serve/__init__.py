"""The HTTP server without HTTP: its options, its sockets and its links."""
