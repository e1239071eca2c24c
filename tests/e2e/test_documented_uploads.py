"""The uploads of jobctl-serve(8), typed into a shell against a server, and its example."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.documentation import ROOT, blocks
from tests.e2e.conftest import Cli
from tests.wait import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def served():
    """A command with a server. The path of a Unix socket is short."""
    with tempfile.TemporaryDirectory(prefix="jobctl-") as folder:
        work = Path(folder) / "work"
        (work / ".config" / "jobctl").mkdir(parents=True)
        (recipe,) = (block for block in of_page() if block.lines[0] == "[recipe.load]")
        (work / ".config" / "jobctl" / "config.toml").write_text("\n".join(recipe.lines))
        cli = Cli(Path(folder) / "home", work)
        server = cli.start("serve", "--no-tcp", "-q")
        try:
            wait_until((cli.home.root / "serve.sock").exists, what="the start of the server")
            yield cli
        finally:
            server.terminate()
            server.communicate(timeout=60)
            cli.close()


def of_page():
    return [block for block in blocks() if block.where.startswith("jobctl-serve.8")]


def test_every_upload_of_the_page_works_as_it_says(served):
    lines = [line for block in of_page() if any("post" in line for line in block.lines) for line in block.lines]
    assert sum("$load" in line for line in lines) == 10
    text = "\n".join(f"{line}; echo" for line in lines if not line.startswith("post()"))
    (function,) = (line for line in lines if line.startswith("post()"))
    done = served.shell(f"{function}\n{text}")
    assert done.stderr == ""
    assert re.match(r"HTTP/1\.1 202 Accepted\r?\n", done.stdout.lstrip())
    for name in ("location: /v1/jobs/1", 'etag: "', "retry-after: ", "content-type: application/json"):
        assert name in done.stdout
    documents = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    kinds = [document.get("schema", document.get("type")) for document in documents]
    status, preview = "jobctl.status/1", "jobctl.preview/1"
    assert kinds == [status] * 8 + [preview, "urn:jobctl:error:input_rejected", status]
    assert [document["idempotency"]["replayed"] for document in documents[5:8]] == [False, True, False]
    assert (documents[9]["detail"], documents[9]["errors"][0]["line"]) == ("load: 1 problem, nothing was accepted", 2)
    assert documents[10]["command"] == ["echo", "{id}"]


def test_every_action_of_the_page_is_answered(served):
    (block,) = (block for block in of_page() if block.lines[0].startswith("to()"))
    load = "printf 'id,total\\n1,9.50\\n' | to -H 'Content-Type: text/csv' --data-binary @- http://jobctl/v1/recipes/load/jobs"
    function, job, *requests = block.lines
    done = served.shell("\n".join(f"{line}; echo" for line in (function, job, load, *requests)))
    assert done.stderr == ""
    documents = [json.loads(line) for line in done.stdout.splitlines() if line]
    kinds = [document.get("schema", document.get("type")) for document in documents]
    assert kinds == ["jobctl.status/1", "jobctl.set/1", "urn:jobctl:error:usage", "jobctl.cancel/1"]
    assert documents[1]["policy"]["slots"] == 8
    assert documents[2]["detail"] == "job 1 is queued, not done"


@pytest.mark.skipif(shutil.which("jq") is None, reason="the example shows its answers with jq")
def test_the_example_sends_files(cli):
    script = ["sh", str(ROOT / "examples" / "upload.sh")]
    env = cli.env | {"JOBCTL": cli.program[0], "TMPDIR": "/tmp"}
    done = subprocess.run(script, capture_output=True, text=True, cwd=cli.work, env=env, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    decoder, documents, text = json.JSONDecoder(), [], re.sub(r"(?m)^#.*$", "", done.stdout).lstrip()
    while text:
        document, end = decoder.raw_decode(text)
        documents.append(document)
        text = text[end:].lstrip()
    assert documents[0] == {"job": 1, "state": "succeeded", "succeeded": 2}
    assert (documents[1]["status"], documents[1]["row"]["line"]) == (422, 3)
    assert [(each["job"], each["idempotency"]["replayed"]) for each in documents[2:]] == [(2, False), (2, True)]
