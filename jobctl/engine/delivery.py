"""The module that an engine of an earlier release imports for its first notification after an upgrade.

That engine is older than the files on the disk and cannot use them. It ends here, and with this exit code its
supervisor drains the daemon and starts the new release, which delivers. An engine that ends loses nothing.
Remove this module when no daemon of 0.1.0 can run any more.
"""

import os

from jobctl.supervisor.protocol.wire import OTHER_JOBCTL

os._exit(OTHER_JOBCTL)
