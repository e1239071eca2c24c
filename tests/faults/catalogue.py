"""Imports every module that registers faults, in the order of the table."""

from importlib import import_module

from tests.faults.campaign import FAULTS

_ORDER = "kills undoing standstill recovery syscalls upkeep disks control races readers strangers peers clusters"
MODULES = tuple(import_module(f"tests.faults.{name}") for name in _ORDER.split())
NAMES = tuple(FAULTS)
