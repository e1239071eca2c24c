"""Documents as text: tables, pages, live views, JSON. It knows the types of documents, and no database."""
