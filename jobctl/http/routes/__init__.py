"""One module for each group of routes: it reads the request, calls one service and returns its document."""
