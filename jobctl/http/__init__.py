"""``jobctl serve``: the services over HTTP, with a live page."""
