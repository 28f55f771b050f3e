"""Properties in Pulumi's state <-> specifications."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from provisioner.plan.diff import differences
from provisioner.providers import properties as state
from provisioner.schema.model import Adopt, OnDelete, StreamConfig, StreamInfo, StreamSpec
from tests.support.configurations import config, configurations


def props(**fields: Any) -> dict[str, Any]:
    """A stream's properties as the state holds them."""
    given = state.inputs(StreamSpec(config(**fields)), OnDelete.GUARD)
    return {key: value for key, value in given.items() if value is not None}


@given(wanted=configurations())
def test_the_state_holds_a_whole_configuration(wanted: StreamConfig) -> None:
    """Inputs read back are the configuration they were made from."""
    assert wanted == state.spec(state.inputs(StreamSpec(wanted), OnDelete.GUARD)).config


@given(wanted=configurations(), live=configurations())
def test_a_refresh_holds_what_the_server_has(wanted: StreamConfig, live: StreamConfig) -> None:
    """The overlaid state differs from what is wanted exactly where the server does."""
    outs, inputs = state.overlaid(state.inputs(StreamSpec(wanted), OnDelete.GUARD), StreamInfo(live, "now"))
    read = state.spec(inputs).config
    ignored = {"mirror_direct"}  # a mirror takes it from its origin
    fields = {change.field for change in differences(live, wanted)} - ignored
    assert fields == {change.field for change in differences(read, wanted)} - ignored
    assert inputs == {key: value for key, value in outs.items() if key not in {"created", state.BEFORE_DRIFT}}


@given(wanted=configurations(), live=configurations(), later=configurations())
def test_what_the_last_up_set_outlives_refreshes(wanted: StreamConfig, live: StreamConfig, later: StreamConfig) -> None:
    """A state that was refreshed, twice, without an up still tells what the up set."""
    props = state.inputs(StreamSpec(wanted), OnDelete.GUARD)
    for each in (live, later):
        props = state.overlaid(props, StreamInfo(each, "now"))[0]
        assert not {change.field for change in differences(wanted, state.last_set(props))} - {"mirror_direct"}


def test_drift_that_has_gone_leaves_no_trace() -> None:
    """Back to what the up set: the state is as the up wrote it."""
    before = props(max_age="7d") | {"created": "then"}
    drifted = state.overlaid(before, StreamInfo(config(max_age="1d"), "then"))[0]
    assert {"max_age": "7d"} == json.loads(drifted[state.BEFORE_DRIFT])
    assert before == state.overlaid(drifted, StreamInfo(config(max_age="7d"), "then"))[0]


def test_a_field_left_out_goes_back_to_a_default_with_a_name() -> None:
    """A plan shows `5 => unlimited`, not `5 => nothing`."""
    news = state.filled_in(props(max_msgs=5, duplicate_window="1s"), props())
    assert ("unlimited", "2m") == (news["max_msgs"], news["duplicate_window"])


def test_a_stream_made_again_has_a_status() -> None:
    """Same configuration, another stream: the status says since when."""
    outs, inputs = state.overlaid(props() | {"created": "then"}, StreamInfo(config(), "now"))
    assert ("then", "restored, or deleted and made again, at now") == (outs["created"], inputs["status"])
    assert state.bookkeeping_differs(outs, props())


def test_an_untouched_stream_reads_as_it_was_written() -> None:
    """Nothing differs: the refresh changes not one property."""
    before = props(max_age="7d") | {"created": "then"}
    assert before == state.overlaid(before, StreamInfo(config(max_age="7d"), "then"))[0]


def test_integers_survive_the_state() -> None:
    """Pulumi keeps numbers as doubles: above 2^53 they travel as text, below they come back as floats."""
    large = state.inputs(StreamSpec(config(first_seq=2**63 + 1)), OnDelete.GUARD)
    assert str(2**63 + 1) == large["first_seq"]
    assert 5 == state.spec(props() | {"max_msgs": 5.0}).config["max_msgs"]


def test_policies_are_plain_text_in_the_state() -> None:
    """Pulumi gets a text, not a subclass of it."""
    registered = state.inputs(StreamSpec(config(), on_delete=OnDelete.RETAIN, adopt=Adopt.ALWAYS), OnDelete.GUARD)
    assert [("retain", str), ("always", str)] == [
        (registered[key], type(registered[key])) for key in ("on_delete", "adopt")
    ]
    assert OnDelete.RETAIN is state.spec(registered).on_delete
