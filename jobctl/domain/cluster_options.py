"""The options of everything that starts an engine: where its items run, on this machine or on a cluster."""

#: (name, placeholder of the value, help)
CLUSTER_OPTIONS = (
    ("--executor", "local|dask", "The place where items run: local (this machine, the default), or dask (a cluster)."),
    ("--scheduler", "ADDRESS", "The address of the scheduler: tcp://127.0.0.1:8786, tls://node1:8786."),
    ("--scheduler-file", "FILE", "The file that dask scheduler --scheduler-file writes; it has the address."),
    (
        "--cluster",
        "slurm|pbs|lsf|sge|htcondor|oar|moab",
        "Start a scheduler here, and its workers as batch jobs, with dask-jobqueue.",
    ),
    ("--workers", "N", "The number of batch jobs that --cluster starts; default: 1."),
    ("--tls-ca", "FILE", "The CA certificate of the cluster, for a scheduler on another machine."),
    ("--tls-cert", "FILE", "The certificate of this jobctl."),
    ("--tls-key", "FILE", "The private key of this jobctl."),
    ("--insecure", "", "Connect without TLS; use it on a private network only."),
    ("--forget-cluster", "", "Give up a lost cluster: items that it may still run count as interrupted."),
)
