"""The HTTP server: routes over the services, whose documents are the answers. The only user of FastAPI."""
