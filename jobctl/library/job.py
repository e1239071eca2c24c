"""``jobctl.Job``: a job of a store, for programs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from jobctl.domain.job_options import OPTIONS
from jobctl.errors import UsageError
from jobctl.library.given import functions_of, options_of, refuse_unknown, text_of, texts_of, words_of
from jobctl.library.job_reading import JobReading
from jobctl.library.records import wrap
from jobctl.library.selecting import Numbers, Texts, selection
from jobctl.library.store_in_hints import hints_name_the_store
from jobctl.process import moment

if TYPE_CHECKING:
    from jobctl import Store
    from jobctl.library.documents import (
        CancelledBlock,
        PausedJobBlock,
        PreviewDocument,
        RetriedBlock,
        SetDocument,
    )
    from jobctl.library.options import Command, CopyOptions, Function, RoundOptions, SetOptions

_OF_ROUNDS = tuple(option for option in OPTIONS if option.of_retry)
_OF_COPIES = tuple(option for option in OPTIONS if option.of_retry or option.of_copies)
_RULES = tuple(option.key for option in OPTIONS if option.effect)


@hints_name_the_store
class Job(JobReading):
    """A job of a store. It has the number of the job and keeps nothing else: every call reads the store.

    Made by ``Store.submit``, ``Store.run``, ``Store.job`` and ``Store.jobs``. Two objects for the same job are equal.
    Threads and forked children may use it, as its store.
    """

    def __init__(
        self,
        store: Store,
        number: int,
        *,
        uid: str | None = None,
        replayed: bool = False,
        notices: tuple[str, ...] = (),
    ) -> None:
        """Use ``Store.job`` to find a job; this checks nothing."""
        super().__init__(store, number)
        if uid is not None:
            self.__dict__["uid"] = uid
        #: Whether the submission found a job with the same key, and accepted nothing new.
        self.replayed: bool = replayed
        #: What the submission has to say about its options and rows: sentences for people.
        self.notices: tuple[str, ...] = notices

    @cached_property
    def uid(self) -> str:
        """The unique name of the job, which no other job of any store has. Raises NotFound."""
        return self.status().uid

    @property
    def store(self) -> Store:
        """The store of the job."""
        return self._store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and (self.id, self._store.place) == (other.id, other._store.place)

    def __hash__(self) -> int:
        return hash((self.id, self._store.place))

    def __repr__(self) -> str:
        return f"<Job {self.id} of {str(self._store.home)!r}>"

    def cancel(
        self,
        *,
        now: bool = False,
        reason: str = "",
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
    ) -> CancelledBlock:
        """End the job, or only the selected items of it; returns when they have ended.

        Running items get TERM, the grace period, KILL; ``now`` sends KILL at once. ``reason`` is kept in the journal.
        It works without a daemon. A job that is done does not change, and ``cancelled`` of the answer is False. Raises
        UsageError, NotFound.

        >>> job.cancel().cancelled
        False
        """
        from jobctl.library.documents import CancelDocument
        from jobctl.services.control.cancel import cancel, cancel_document
        from jobctl.services.control.cancel_items import ItemsToCancel, cancel_items, items_document
        from jobctl.services.control.targets import targets_of

        chosen = selection(state=state, cause=cause, where=where, items=items)
        home = self._store.place
        targets = targets_of(home, [str(self.id)])
        if chosen.is_default:
            found = cancel_document(cancel(home, targets, at_once=now, reason=reason, now=moment.now()))
        else:
            how = ItemsToCancel(now, reason, moment.now(), None)
            found = items_document(cancel_items(home, {self.id: chosen}, how))
        return wrap(found, CancelDocument).cancelled[0]

    def pause(self, *, reason: str = "") -> PausedJobBlock:
        """Start no more items; running ones finish. ``status`` and ``explain`` show the reason. Raises NotFound.

        >>> job.pause().changed
        False
        """
        from jobctl.library.documents import PauseDocument
        from jobctl.services.control.pause import pause, pause_document

        found = pause(self._store.place, [self.id], reason=reason, now=moment.now())
        return wrap(pause_document(found), PauseDocument).jobs[0]

    def resume(self) -> PausedJobBlock:
        """Continue a paused or held job. Raises NotFound.

        >>> job.resume().changed
        False
        """
        from jobctl.library.documents import ResumeDocument
        from jobctl.services.control.pause import resume, resume_document

        found = resume(self._store.place, [self.id], now=moment.now())
        return wrap(resume_document(found), ResumeDocument).jobs[0]

    def set(self, **settings: Unpack[SetOptions]) -> SetDocument:
        """Change rules of a job that is not done, as ``jobctl set``; ``"none"`` takes a limit away.

        Raises UsageError for a rule that a job does not have, and for a job that is done.

        >>> job.set(slots=8, timeout="5m")  # doctest: +SKIP
        """
        from jobctl.library.documents import SetDocument
        from jobctl.services.control.rules import set_document, set_rules

        refuse_unknown(settings, _RULES)
        changes = {
            name.replace("_", "-"): text_of(name, value) for name, value in settings.items() if value is not None
        }
        if not changes:
            raise UsageError("set: there is no rule to change", hint=f"one of {', '.join(_RULES)}")
        return wrap(
            set_document(self.id, set_rules(self._store.place, self.id, changes, now=moment.now())), SetDocument
        )

    @overload
    def retry(
        self,
        command: Command | None = None,
        *,
        as_new: Literal[False] = False,
        dry_run: bool = False,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Unpack[RoundOptions],
    ) -> RetriedBlock: ...

    @overload
    def retry(
        self,
        command: Command | None = None,
        *,
        as_new: Literal[True],
        dry_run: Literal[False] = False,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Unpack[CopyOptions],
    ) -> Job: ...

    @overload
    def retry(
        self,
        command: Command | None = None,
        *,
        as_new: Literal[True],
        dry_run: Literal[True],
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Unpack[CopyOptions],
    ) -> PreviewDocument: ...

    def retry(
        self,
        command: Command | None = None,
        *,
        as_new: bool = False,
        dry_run: bool = False,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Any,
    ) -> RetriedBlock | Job | PreviewDocument:
        """Run the items that did not succeed again, as the next round of the job, or as a new job (``as_new``).

        The options are rules for the new round; for a new job also those of ``submit``, and ``command``. The conditions
        select items. ``unknown`` takes items whose outcome is not known, ``undone`` those that were taken back. The job
        must be done, unless ``as_new``. Returns the round, or the new job; a new job with ``dry_run``: what would be
        accepted. Raises UsageError, NotFound.

        >>> job.retry(attempts=2).round
        2
        """
        from jobctl.library.retrying import as_new_job, next_round

        chosen = selection(state=state, cause=cause, where=where, items=items, unknown=unknown, undone=undone)
        words = words_of(command)
        named, _ = functions_of(options)
        if as_new:
            return as_new_job(self, chosen, _copied(named), words, dry_run=dry_run)
        return next_round(self, chosen, _copied({**named, "dry_run": dry_run}), words)

    def undo(
        self,
        command: Command | None = None,
        *,
        shell: str | None = None,
        call: Function | None = None,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        **options: Unpack[RoundOptions],
    ) -> Job:
        """Take back the rows that succeeded, the newest first; returns the undo job.

        Without ``command``, ``shell`` or ``call`` it is the way back that the job was submitted with. The conditions
        select rows, ``unknown`` takes those whose outcome is not known as well. The job must be done. Raises
        UsageError, NotFound.

        >>> job.undo(["rm", "-f", "{id}.pdf"], rate="5/s")  # doctest: +SKIP
        """
        from jobctl.library.retrying import undo_job

        chosen = selection(state=state, cause=cause, where=where, items=items, unknown=unknown)
        named, _ = functions_of({"call": call})
        rules = texts_of(dict(options), _OF_ROUNDS)
        return undo_job(self, chosen, (words_of(command), shell, named["call"]), rules)


def _copied(options: dict[str, Any]) -> dict[str, Any]:
    """The options of ``retry``: the rules of a round as texts, the others as a submission has them."""
    rounds = {option.key for option in _OF_ROUNDS}
    refuse_unknown(options, {option.key for option in _OF_COPIES})
    given = options_of({name: value for name, value in options.items() if name not in rounds}, _OF_COPIES)
    return given | texts_of({name: value for name, value in options.items() if name in rounds}, _OF_ROUNDS)
