"""``jobctl top``: a browser of jobs for the whole screen. It needs textual, the extra ``tui``; nothing else imports it.

It shows what ``status``, ``items``, ``logs`` and ``explain`` show, and acts on jobs as ``cancel``, ``retry``, ``pause``
and ``resume`` do. Both go through the services of these commands.
"""
