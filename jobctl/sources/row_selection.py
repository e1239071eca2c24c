"""Selects rows of an input: by number (``1-100,500,1000-``), by a condition, or as a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from jobctl.domain.spans import Span, overlap, parse_spans
from jobctl.errors import UsageError
from jobctl.sources.options import InputOptions

#: A fixed number, so that the same file and the same N give the same rows.
_SEED = 20_260_101


class RowSelection:
    """The selection of one input. Rows are numbered like records in messages."""

    def __init__(
        self,
        spans: Sequence[Span] | None = None,
        where: Callable[[bytes], bool] | None = None,
        sample: int | None = None,
    ) -> None:
        self._spans = spans
        self._where = where
        self._sample = sample

    def selects_number(self, record: int) -> bool:
        """True if a record is selected, as far as its number decides."""
        return self._spans is None or bool(overlap(self._spans, record, 1))

    def selects(self, payload: bytes) -> bool:
        """True if a row is selected, as far as its values decide."""
        return self._where is None or self._where(payload)

    def select(self, payloads: list[bytes], first: int) -> list[bytes]:
        """The selected rows among rows with consecutive numbers from ``first`` on."""
        if self._spans is not None:
            payloads = [each for part in overlap(self._spans, first, len(payloads)) for each in payloads[part]]
        return payloads if self._where is None else list(filter(self._where, payloads))

    def select_numbered(self, payloads: list[bytes], first: int) -> tuple[Sequence[int], list[bytes]]:
        """Like ``select``, with the number of each record."""
        numbers: Sequence[int] = range(first, first + len(payloads))
        if self._spans is None and self._where is None:
            return numbers, payloads
        numbers = [number for number in numbers if self.selects_number(number)]
        selected = [(number, payloads[number - first]) for number in numbers if self.selects(payloads[number - first])]
        return [number for number, _ in selected], [payload for _, payload in selected]

    def sampled(self, batches: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
        """The same batches; with ``--sample N`` one batch of N rows in order, each chosen with the same probability."""
        if self._sample is None:
            yield from batches
            return
        import random  # most submissions take no sample, and start faster without it

        # Python guarantees equal numbers in all versions only for random().
        draw = random.Random(_SEED).random  # noqa: S311
        reservoir: list[tuple[int, bytes]] = []
        count = 0
        for batch in batches:
            for payload in batch:
                place = count if count < self._sample else int(draw() * (count + 1))
                if place < len(reservoir):
                    reservoir[place] = (count, payload)
                elif count < self._sample:
                    reservoir.append((count, payload))
                count += 1
        if reservoir:
            yield [payload for _, payload in sorted(reservoir)]


def _condition(text: str, input_format: str, columns: Sequence[str]) -> Callable[[bytes], bool]:
    from jobctl.domain.row_where import compile_where  # parses with ast, which few submissions need

    return compile_where(text, input_format, columns)


def make_selection(options: InputOptions, input_format: str, columns: Sequence[str]) -> RowSelection:
    """The selection of these options. Raises UsageError with the option and the wrong place in it."""
    if options.sample is not None and options.sample < 1:
        raise UsageError(f"--sample {options.sample} is less than 1", hint="for example --sample 10")
    return RowSelection(
        None if options.select is None else parse_spans(options.select, "--select"),
        None if options.where is None else _condition(options.where, input_format, columns),
        options.sample,
    )
