"""GPUs are lent so that no two items see the same one."""

from __future__ import annotations

from jobctl.supervisor.devices import FreeDevices


def test_the_devices_of_the_machine_are_sorted_by_number(tmp_path):
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "sda"):
        (tmp_path / name).touch()
    devices = FreeDevices({}, str(tmp_path))
    assert devices.total == 3
    assert devices.take(3) == (b"0", b"2", b"10")


def test_only_visible_devices_are_used():
    devices = FreeDevices({b"CUDA_VISIBLE_DEVICES": b"3, GPU-8f2c"})
    assert devices.take(2) == (b"3", b"GPU-8f2c")
    assert FreeDevices({b"CUDA_VISIBLE_DEVICES": b"-1"}).total == 0
    assert FreeDevices({b"CUDA_VISIBLE_DEVICES": b"0,1,0"}).total == 2


def test_no_device_is_lent_twice():
    devices = FreeDevices({b"CUDA_VISIBLE_DEVICES": b"0,1,2"})
    first, second = devices.take(2), devices.take(1)
    assert devices.take(1) is None
    devices.give_back(second)
    assert devices.take(2) is None
    assert devices.take(1) == second
    devices.give_back(first)
    assert devices.take(2) == first


def test_a_shortage_is_explained_with_the_number_that_exists():
    assert FreeDevices({b"CUDA_VISIBLE_DEVICES": b"0"}).explain_shortage(2) == "it needs 2 GPUs, and there is 1 here"
    assert "it needs 1 GPU, and none is found here: name them" in FreeDevices(
        {b"CUDA_VISIBLE_DEVICES": b""}
    ).explain_shortage(1)


def test_several_are_lent_in_the_order_in_which_they_were_named():
    devices = FreeDevices({b"CUDA_VISIBLE_DEVICES": b"7,2"})
    first, second = devices.take(1), devices.take(1)
    devices.give_back(second)
    devices.give_back(first)
    assert devices.take(2) == (b"7", b"2")
    devices.give_back((b"7", b"2"))
    assert devices.take(1) == (b"7",)
