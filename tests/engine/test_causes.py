"""Causes of a whole job, as the engine counts them and as people read them."""

import json

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import AttemptId
from jobctl.render.lines import summary_lines
from jobctl.render.look import Look
from jobctl.services.status.document import job_document
from jobctl.store import outbox
from jobctl.store.outbox import NewTarget
from tests.engine.bench import Bench
from tests.executors.fake import Play
from tests.factories import enqueue_end

CODES = ("rate_limit_exceeded", "insufficient_quota", "invalid_api_key")


def causes(bench):
    rows = bench.database.execute("SELECT message, items FROM failures ORDER BY items DESC, message")
    return dict(rows.fetchall())


def work_off(tmp_path, said, rows=40, policy=None):
    bench = Bench(tmp_path, script=lambda d: Play(code=1, err=said(d.item).encode()), slots=4)
    bench.number = bench.submit(rows=rows, policy=policy or Policy(attempts=1))
    bench.work_off()
    return bench


def document(bench):
    return job_document(bench.database, bench.home, bench.number, now=bench.now)


def test_services_that_answer_in_json_have_a_cause_for_each_code(tmp_path):
    bench = work_off(tmp_path, lambda n: f'{{"error":{{"message":"No, item {n}","code":"{CODES[n % 3]}"}}}}\n', rows=30)
    assert causes(bench) == {f"{code}: No, item <n>": 10 for code in CODES}


def test_statuses_are_causes_and_progress_is_none(tmp_path):
    status = (404, 429, 500, 503)
    told = "\r  0  335  0 0 --:--:-- 0\ncurl: (22) The requested URL returned error: {}\nConnection to b1 closed.\n"
    bench = work_off(tmp_path, lambda n: told.format(status[n % 4]))
    assert causes(bench) == {f"curl: (22) The requested URL returned error: {n}": 10 for n in status}


def test_a_cause_that_is_all_mask_shows_what_an_item_said(tmp_path):
    bench = work_off(tmp_path, lambda n: f"KeyError: 'user_{n}'\n")
    (group,) = document(bench)["failures"]["groups"]
    assert (group["message"], group["count"], group["example"]) == ("KeyError: <text>", 40, "KeyError: 'user_1'")
    assert "  40x exit_1: KeyError: <text>, for example KeyError: 'user_1' (item 1, 2, 3)" in summary_lines(
        document(bench), Look(terminal=False)
    )


def test_a_notification_shows_it_too(tmp_path):
    bench = work_off(tmp_path, lambda n: f"KeyError: 'user_{n}'\n")
    with bench.database.transaction():
        outbox.add_targets(bench.database, bench.number, [NewTarget("command", "mail me")])
        enqueue_end(bench.database, bench.number, bench.now)
        (sending,) = outbox.begin_due(bench.database, bench.now, 9)
    (told,) = json.loads(sending.body)["data"]["failures"]["groups"]
    assert (told["message"], told["count"], told["example"]) == ("KeyError: <text>", 40, "KeyError: 'user_1'")


def test_the_summary_says_how_many_causes_it_leaves_out(tmp_path):
    bench = work_off(tmp_path, lambda n: "".join("abcdefgh"[int(d)] for d in f"{n % 8:03o}") + " broke\n")
    lines = list(summary_lines(document(bench), Look(terminal=False)))
    assert sum("x exit_1: " in line for line in lines) == 5
    assert f"  and 3 more causes: jobctl causes {bench.number}" in lines


@pytest.mark.parametrize("restart_at", [1, 5, 9])
def test_an_engine_that_comes_later_knows_what_the_one_before_learned(tmp_path, restart_at):
    def said(d):
        return Play(code=1, err=f"KeyError: 'user_{d.item // 2}'\n".encode())

    bench = Bench(tmp_path, script=said, slots=2)
    bench.submit(rows=60, policy=Policy(attempts=2, backoff=Backoff(0.001, 1, 0.001)))
    bench.tick(restart_at)
    bench.start(fresh=False)
    bench.work_off()  # its counters are checked after every tick
    assert causes(bench) == {"KeyError: <text>": 60}


def test_messages_of_the_version_before_stay_as_they_are(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=22, err=b"curl: (22) error: 404\n", hold=d.item == 4), slots=2)
    job = bench.submit(rows=4, policy=Policy(attempts=1))
    bench.tick(6)
    bench.database.execute("UPDATE failures SET message = 'curl: (22) error: <n>'")
    bench.start(fresh=False)
    bench.executor.finish(AttemptId(job, 4, 1), Play(code=22, err=b"curl: (22) error: 503\n"))
    bench.work_off()
    assert causes(bench) == {"curl: (22) error: <n>": 4}
