"""The one table of the options of ``jobctl serve``, which are the keys of ``[serve]`` in settings as well.

A row names its parser, which ``option_values.py`` imports, so that the table itself imports nothing. None of the keys
is safe in a project file that the user has not trusted: they open doors to this machine.
"""

from typing import NamedTuple

WHERE = "Where it listens"
LIMITS = "Limits"


class ServeOption(NamedTuple):
    """One option. Without a ``metavar`` it is a switch."""

    name: str
    panel: str  # of the help page
    metavar: str
    help: str
    parse: str = ""  # module:function that reads its text, or its number; raises UsageError
    default: str = ""  # the value without option and setting, as its text
    form: str = ""  # the allowed values in settings, in words
    multiple: bool = False
    number: bool = False
    is_path: bool = False
    is_main: bool = False  # -h shows it

    @property
    def key(self) -> str:
        """Its name as a Python name."""
        return self.name.replace("-", "_")


_ADDRESSES = "jobctl.domain.addresses"
_DURATION = "jobctl.domain.durations:parse_duration"
_SIZE = "jobctl.domain.durations:parse_size"
_COUNT = "jobctl.domain.policy:checked_count"

# fmt: off
OPTIONS: tuple[ServeOption, ...] = (
    ServeOption("socket", WHERE, "PATH",
        "The path of the Unix socket; default: serve.sock in the state directory.",
        is_path=True, is_main=True),
    ServeOption("listen", WHERE, "HOST:PORT",
        "The address for requests with a token; may be repeated; default: 127.0.0.1:8421.",
        parse=f"{_ADDRESSES}:parse_address", default="127.0.0.1:8421", multiple=True, is_main=True,
        form='an address such as "127.0.0.1:8421" or "[::1]:8421"'),
    ServeOption("no-tcp", WHERE, "",
        "Listen at the Unix socket only.",
        default="false", is_main=True),
    ServeOption("host", WHERE, "NAME",
        "A further name under which clients reach the server; may be repeated.",
        parse=f"{_ADDRESSES}:parse_host", multiple=True, form="the name of a host, as in the address of a browser"),
    ServeOption("tls-cert", WHERE, "FILE",
        "The certificate chain for TLS, as PEM.",
        is_path=True, is_main=True),
    ServeOption("tls-key", WHERE, "FILE",
        "The private key for TLS, as PEM; other users must not be able to read it.",
        is_path=True, is_main=True),
    ServeOption("insecure", WHERE, "",
        "Listen without TLS at an address that other machines reach; tokens can be read on the way.",
        default="false", is_main=True),
    ServeOption("rate", LIMITS, "N/s",
        "The requests of each token without a rate of its own; default: 50/s.",
        parse="jobctl.domain.option_values:checked_rate", default="50/s", form='requests per time such as "10/s"'),
    ServeOption("max-body", LIMITS, "SIZE",
        "The largest body of a request; default: 1G.",
        parse=_SIZE, default="1G", form='a size such as "64M" or "2G"'),
    ServeOption("max-rows", LIMITS, "N",
        "The most rows of an upload; default: 10000000.",
        parse=_COUNT, default="10000000", form="a whole number from 1", number=True),
    ServeOption("max-uploads", LIMITS, "N",
        "The most uploads at the same time; default: 16.",
        parse=_COUNT, default="16", form="a whole number from 1", number=True),
    ServeOption("uploads-per-token", LIMITS, "N",
        "The most uploads of one token at the same time; default: 4.",
        parse=_COUNT, default="4", form="a whole number from 1", number=True),
    ServeOption("max-connections", LIMITS, "N",
        "The most connections at the same time; default: 2000.",
        parse=_COUNT, default="2000", form="a whole number from 1", number=True),
    ServeOption("client-timeout", LIMITS, "DURATION",
        "Cut off a client that sends or reads nothing for this time; default: 30s.",
        parse=_DURATION, default="30s", form='a duration such as "30s" or "2m"'),
)
# fmt: on
BY_NAME = {option.name: option for option in OPTIONS}
