"""The types of the public names, which ``__init__.py`` loads on first use."""

from jobctl.callable_api import Permanent as Permanent
from jobctl.callable_api import Retry as Retry
from jobctl.callable_api import current as current
from jobctl.errors import Busy as Busy
from jobctl.errors import Exit as Exit
from jobctl.errors import HomeError as HomeError
from jobctl.errors import InputRejected as InputRejected
from jobctl.errors import JobChanged as JobChanged
from jobctl.errors import JobctlError as JobctlError
from jobctl.errors import KeyConflict as KeyConflict
from jobctl.errors import NoRoom as NoRoom
from jobctl.errors import NotFound as NotFound
from jobctl.errors import OlderDaemon as OlderDaemon
from jobctl.errors import StoreError as StoreError
from jobctl.errors import UnknownColumn as UnknownColumn
from jobctl.errors import UsageError as UsageError
from jobctl.errors import WaitTimeout as WaitTimeout
from jobctl.errors import WrongState as WrongState
from jobctl.library.asynchronous import AsyncJob as AsyncJob
from jobctl.library.asynchronous import AsyncStore as AsyncStore
from jobctl.library.job import Job as Job
from jobctl.library.result_file import ResultFile as ResultFile
from jobctl.library.store import Store as Store
from jobctl.sources.problems import RowsRejected as RowsRejected

__version__: str
