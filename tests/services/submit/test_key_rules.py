"""Keys of rows that are noted on disk are known again, and no file is left."""

import os
import tempfile

from jobctl.services.submit.key_rules import FirstOfKey


def test_keys_are_known_again_and_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    rules = FirstOfKey("id", lambda payload: payload, skips=True)
    try:
        keys = [b"k%d" % number for number in range(20_000)]
        assert rules.all_good(keys, range(1, 20_001))
        assert not rules.all_good([b"k7"], [20_001])
        assert rules.fault(b"k7", 8) is None
        assert rules.fault(b"k7", 20_001).message == "record 8 has the key 'k7' already"
        assert os.listdir(tmp_path) == []
    finally:
        rules.close()
