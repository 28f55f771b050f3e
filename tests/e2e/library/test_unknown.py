"""Arguments that are outputs: of what is yet to be made, and secret ones."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Project
from tests.e2e.library.conftest import Own
from tests.support.nats_server import running

SECRET = "correct-horse"
PROGRAM = """
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class MakerProvider(ResourceProvider):
    def create(self, props):
        return CreateResult("made", {name: value.removeprefix("made ") for name, value in props.items()} | later(props))


def later(props):
    return {name.removeprefix("given_"): value for name, value in props.items() if name.startswith("given_")}


class Maker(Resource):
    def __init__(self, name, **given):
        props = {f"given_{key}": value for key, value in given.items()} | dict.fromkeys(given)
        super().__init__(MakerProvider(), name, props)


made = Maker("made", url=os.environ["LOCKED"], subject="orders.*", age="168h", called="NAMED")
locked = Server(made.url, name="locked", user="u", password=pulumi.Output.secret(os.environ["SECRET"]))
Consumer("billing", stream=Stream("ORDERS", subjects=["orders.*"], max_age="168h", server=locked))
server = Server(URL)
Stream("LATER", subjects=[made.subject], max_age=made.age, server=server)
named = Stream("later-named", name=made.called, subjects=["named"], server=server)
Consumer("of-named", stream=named)
KeyValue("later-ttl", ttl=made.age, mirror=None, server=server)
KeyValue("later-bucket", bucket=made.called, server=server)
"""
SAID = (
    "server locked: url is not known yet: planned without asking the server",
    "LATER: max_age, subjects are not known yet: planned without asking the server",
    "a stream: name is not known yet",
    "a consumer: stream is not known yet",
    "KV_later-ttl: ttl is not known yet",
    "a bucket: bucket is not known yet",
)


def test_what_is_yet_to_be_made(own: Own, tmp_path: Path) -> None:
    """The plan says what it could not ask for; up makes it, and a secret is nowhere in clear."""
    with running(tmp_path / "locked", extra=f"authorization {{ user: u, password: {SECRET} }}") as server:
        project = own.project
        project.environment |= {"LOCKED": server.url, "SECRET": SECRET}
        own.program(PROGRAM)
        planned = project.preview()
        assert planned.code == 0, planned.text
        assert [] == [line for line in SAID if line not in planned.text]
        said = planned.text + project.up().text
        assert project.unchanged()
        assert SECRET not in said + _state(project)
        refused = project.preview(SECRET="wrong")
        assert refused.code != 0
        assert "Authorization Violation; check user, password" in refused.text


def _state(project: Project) -> str:
    return "".join(file.read_text() for file in project.state.parent.rglob("*") if file.is_file())
