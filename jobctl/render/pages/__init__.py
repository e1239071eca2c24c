"""The pages that the HTTP server shows in a browser: documents become HTML, and every text passes ``text_of``."""
