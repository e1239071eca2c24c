"""T26: command, engine and supervisor are killed while rows are taken back."""

from __future__ import annotations

from tests.faults.campaign import fault, measure, on_a_rig
from tests.faults.check import at_most_once
from tests.faults.rig import PATIENCE_S, Rig, kill, pause
from tests.wait import wait_until

_ROWS = 24
_MIX = (("true", 80), ("nap", 10), ("fail", 10))
#: The command, and the undo of the rows from its first line on; the blow falls within.
_COMMAND_S, _UNDO_S = 0.7, 0.4
#: In which the last process of a job and its undo end.
_BOTH_S = 1.0
_UNKNOWN = "SELECT count(*) FROM items i JOIN failures f ON f.id = i.failure WHERE i.job = ? AND f.outcome = 'unknown'"


def take_back_the_rest(rig: Rig, job: int) -> None:
    """Wait for the undo jobs of a job that is done, then take back what they did not."""
    rig.start_again()
    rig.acknowledge_undo_jobs(job)
    rig.wait_done()
    (rig.place / "repaired").touch()
    _try_again_if_careful(rig)
    done = rig.jobctl("undo", job)
    if done.returncode not in (0, 2) or (done.returncode == 2 and "nothing to take back" not in done.stderr):
        rig.notes.append(f"undo: exit {done.returncode}: {done.stderr}")
    rig.acknowledge_undo_jobs(job)
    rig.wait_done()
    checked = rig.jobctl("verify", job)
    if checked.returncode:
        rig.notes.append(f"verify: exit {checked.returncode}: {checked.stdout}{checked.stderr}")
    _remove_what_was_never_begun(rig)


def _remove_what_was_never_begun(rig: Rig) -> None:
    """A kill between the rows of an undo job and its acceptance leaves rows, which ``prune`` removes."""
    pruned = rig.jobctl("prune")
    left = rig.rows("SELECT job, count(*) FROM items WHERE job NOT IN (SELECT id FROM jobs) GROUP BY job")
    if pruned.returncode or left:
        rig.notes.append(f"prune: exit {pruned.returncode}: {pruned.stderr}, items that belong to no job: {left}")


def _try_again_if_careful(rig: Rig) -> None:
    """With ``--on-crash fail``, an undo that was interrupted runs again only when it is asked to."""
    careful = {accepted.job for accepted in rig.accepted if accepted.at_most_once}
    for accepted in rig.accepted:
        if accepted.undo_of not in careful:
            continue
        rig.notes += at_most_once(rig, accepted.job)
        ((unknown,),) = rig.rows(_UNKNOWN, accepted.job)
        measure("undone with an unknown outcome", unknown)
        if unknown:
            done = rig.jobctl("retry", accepted.job, "--unknown")
            if done.returncode:
                rig.notes.append(f"retry: exit {done.returncode}: {done.stderr}")
    rig.wait_done()


def _blow(rig: Rig) -> None:
    """Kill the engine, the supervisor, both or everything."""
    victims = rig.rng.choice(
        ([rig.engine()], [rig.supervisor()], [rig.supervisor(), rig.engine()], rig.whole_tree()),
    )
    measure("undone at the kill", len(rig.taken_back()))
    for pid in victims:
        kill(pid)


@fault("T26-undo", "SIGKILL of command, engine or supervisor while rows are taken back", full=200, sample=2)
@on_a_rig
def kill_an_undo(rig: Rig) -> None:
    """The undo job exists as a whole or not at all, and no row is forgotten."""
    options = ("--on-crash", "fail") if rig.rng.random() < 0.3 else ()
    job = rig.submit_with_undo(_ROWS, *options, mix=_MIX).job
    rig.start()
    rig.wait_done()
    command = rig.begin("undo", job)
    if rig.rng.random() < 0.4:
        pause(rig.rng, _COMMAND_S)
        kill(command.pid)
    command.communicate()
    if command.returncode == 0:
        wait_until(rig.taken_back, PATIENCE_S, "the first row to be taken back")
    pause(rig.rng, _UNDO_S)
    _blow(rig)
    take_back_the_rest(rig, job)


@fault("T26-failure", "the same around the end of a job with --undo-on-failure", full=200, sample=2)
@on_a_rig
def kill_a_job_that_takes_itself_back(rig: Rig) -> None:
    """One undo job appears with the end of the job, if any row failed and any succeeded."""
    job = rig.submit_with_undo(_ROWS, "--undo-on-failure", mix=_MIX).job
    rig.start()
    for _ in range(1 + (rig.rng.random() < 0.3)):
        pause(rig.rng, _BOTH_S)
        _blow(rig)
        rig.start_again()
    rig.wait_done()
    failed, succeeded = rig.rows("SELECT failed, succeeded FROM jobs WHERE id = ?", job)[0]
    begun = rig.acknowledge_undo_jobs(job)
    if len(begun) != bool(failed and succeeded):
        rig.notes.append(f"{failed} rows failed and {succeeded} succeeded, and the job began {len(begun)} undo jobs")
    take_back_the_rest(rig, job)
