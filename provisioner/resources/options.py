"""Pulumi's options of a resource, as far as a stream, a bucket or a consumer can have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pulumi

from provisioner.resources.errors import require_none

_REPLACE: Final = (
    "replace_on_changes: a provider in Python cannot say which properties changed, so it would have no effect; what "
    "can change in place does, and what cannot is carried over with its messages; leave it out"
)
_CREATE_FIRST: Final = "delete_before_replace: two of one name cannot be there at once; leave it out"
_PROVIDER: Final = "provider: it says itself where it is, with server; leave it out"


def resource_options(what: str, name: str | None, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """The options that go to Pulumi.

    Args:
        what: whose they are: ``Stream ORDERS``.
        name: what the resource is called on the server; None where that is not known yet.
        opts: what the program says.

    Raises:
        ArgumentError: an option that it cannot have.
    """
    require_none(what, _problems(name, opts))
    passed = pulumi.ResourceOptions.merge(None, opts)
    passed.import_ = None
    # A replacement that a user forces (--replace, taint) must delete first too: both have one name.
    passed.delete_before_replace = True
    return passed


def _problems(name: str | None, opts: pulumi.ResourceOptions) -> Iterator[str]:
    if opts.replace_on_changes:
        yield _REPLACE
    if opts.delete_before_replace is False:
        yield _CREATE_FIRST
    if opts.provider is not None:
        yield _PROVIDER
    if opts.import_ and name is not None and opts.import_ != name:
        yield f"import_: {opts.import_!r} is not its name, {name!r}; write that, or leave import_ out"
