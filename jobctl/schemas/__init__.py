"""The JSON Schemas of the documents, generated from their types in ``jobctl.domain.documents``."""
