"""Taking over a stream that is there already: pure."""

from __future__ import annotations

from provisioner.model import Live, StreamSpec
from provisioner.planning import Effect, differences, plan
from provisioner.units import counted


def adoption_problem(spec: StreamSpec, live: Live) -> str | None:
    """Why a stream that is there already, and is not ours, may not be taken over."""
    if spec.adopt == "never":
        return f"{_presence(live)}, and adopt is never; delete the stream, or set adopt: equal"
    planned = plan(live.config, spec.config)
    if planned.effect is Effect.NOTHING or (spec.adopt == "always" and planned.effect is Effect.UPDATE):
        return None
    listed = ", ".join(map(str, [*planned.changes, *planned.problems]))
    return (
        f"{_presence(live)} with other settings ({listed}); make the catalogue say what is there, "
        f"delete the stream{'' if planned.effect > Effect.UPDATE else ', or set adopt: always'}"
    )


def adoption_note(spec: StreamSpec, live: Live) -> str:
    """What taking over a stream means, for the plan."""
    changes = ", ".join(map(str, differences(live.config, spec.config)))
    return f"{spec.name} {_presence(live)}: taken over {'with ' + changes if changes else 'as it is'}"


def _presence(live: Live) -> str:
    return f"is there already (created {live.created[:19]}Z, {counted(live.messages, 'message')})"
