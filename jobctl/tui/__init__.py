"""``jobctl top``: a browser of jobs for the whole screen. Needs textual, the extra ``tui``; nothing else imports this.

It shows what ``status``, ``items``, ``logs`` and ``explain`` show, read through the same services at the same moment,
and lays hands on work through those of ``cancel``, ``retry``, ``pause`` and ``resume``.
"""
