"""TLS between engine, scheduler and workers, in the form that Dask takes."""

from __future__ import annotations

from typing import Any

from jobctl.executors.cluster.options import ClusterOptions


def security(options: ClusterOptions) -> Any:
    """Dask's security object; None without TLS."""
    if not options.has_tls:
        return None
    from distributed.security import Security

    sides = {
        f"tls_{side}_{kind}": getattr(options, f"tls_{kind}")
        for side in ("client", "worker", "scheduler")
        for kind in ("cert", "key")
    }
    return Security(tls_ca_file=options.tls_ca, require_encryption=True, **sides)
