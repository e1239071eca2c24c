"""The text that a mask hides, and the text that it leaves."""

from jobctl.domain.mask import Mask


def test_values_are_hidden_the_longest_first():
    mask = Mask(["secret-1", "secret-1-longer", ""])
    assert mask("a secret-1-longer, a secret-1, secret-2") == "a ***, a ***, secret-2"


def test_each_line_of_a_value_is_one():
    mask = Mask(["-----BEGIN KEY-----\nAAAABBBB\n-----END KEY-----\n"])
    assert mask("key AAAABBBB") == "key ***"


def test_short_values_hide_nothing():
    assert not Mask(["1", "true", "     "]) and not Mask()
    assert Mask(["1"])("exit code 1") == "exit code 1"
