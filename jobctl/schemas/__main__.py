"""Write the JSON Schemas: ``python -m jobctl.schemas`` in a checkout."""

from __future__ import annotations

import json
from pathlib import Path

from jobctl.schemas.catalogue import DOCUMENTS, RULES
from jobctl.schemas.generate import Generator

FOLDER = Path(__file__).parent


def texts() -> dict[str, str]:
    """The content of every schema file, by the name of the file."""
    generator = Generator({document: name for name, document in DOCUMENTS.items()})
    made = {name: generator.schema(document, RULES.get(name)) for name, document in DOCUMENTS.items()}
    return {f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in made.items()}


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
