"""Imports every module that registers faults, in the order of the table."""

from tests.faults import control, disks, kills, races, recovery, strangers, syscalls
from tests.faults.campaign import FAULTS

MODULES = (kills, syscalls, disks, control, races, strangers, recovery)
NAMES = tuple(FAULTS)
