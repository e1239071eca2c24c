"""Reads an input as ``submit`` does and keeps all its rows, problems and notices."""

import gzip
import io
from dataclasses import dataclass, field

import pytest

from jobctl.domain.payload import RowRules
from jobctl.errors import InputRejected
from jobctl.sources import InputOptions, open_source

ANY = RowRules(lambda payload: None, safe_length=1 << 62)


@dataclass
class Read:
    source: object
    payloads: list[bytes] = field(default_factory=list)
    rejects: list = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)


class Reader:
    """Writes content to a file and reads it back through a source."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, content, name="input.csv"):
        path = self.folder / name
        path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
        return path

    def __call__(self, content, name="input.csv", rules=ANY, **options):
        read = Read(None)
        with open_source(InputOptions(str(self.path(content, name)), **options), io.BytesIO()) as source:
            read.source = source
            for batch in source.batches(rules, read.rejects.append):
                read.payloads += batch
                read.sizes.append(len(batch))
        return read

    def refused(self, content, name="input.csv", rules=ANY, **options):
        with pytest.raises(InputRejected) as caught:
            self(content, name, rules, **options)
        return caught.value
