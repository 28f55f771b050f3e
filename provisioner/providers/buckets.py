"""The providers of key-value buckets and object stores: what is kept in a stream of a known shape, in its own words.

Everything that is done with them is done with the stream; here are the words. The classes of the providers are
pickled by reference into the state, so they keep their names and place for ever.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from provisioner.errors import ProvisionerError
from provisioner.providers import store_properties
from provisioner.providers.errors import one_line
from provisioner.providers.server_login import context_of
from provisioner.providers.store_properties import BUCKET
from provisioner.providers.stream import PASSING, StreamProvider
from provisioner.providers.unknown import is_unknown, known, unasked, unknown
from provisioner.reconcile.carry import folder_of
from provisioner.reconcile.notices import notice_once
from provisioner.reconcile.permitted import missing_for_values
from provisioner.reconcile.seeds import sow
from provisioner.schema.stores import BUCKETS, OBJECTS, StoreKind

# First values, by key.
SEED: Final = "seed"


class StoreKindProvider(StreamProvider):
    """The provider of the stream, with properties in other words."""

    kind: ClassVar[StoreKind]

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse in preview what ``up`` would run into."""
        if is_unknown(news[BUCKET]):
            given = {key: value for key, value in news.items() if key not in PASSING}
            notice_once(unasked(f"a {self.kind.noun}", given))
            return CheckResult(given, [])
        failures: list[CheckFailure] = []
        words = store_properties.in_streams_words(
            self.kind, known(news), lambda at, what: failures.append(CheckFailure("", self._said(at, what)))
        )
        if failures:
            return CheckResult(news, failures)
        result = super().check(self._stream(_olds) if _olds else _olds, self._stream({**words, **unknown(news)}))
        return CheckResult(self._words(result.inputs), result.failures)

    def diff(self, id_: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare whole configurations of the stream."""
        news = {**_news, BUCKET: _olds[BUCKET]} if is_unknown(_news[BUCKET]) else _news
        result = super().diff(id_, self._stream(_olds), self._stream(news))
        result.changes = result.changes or is_unknown(_news[BUCKET])
        replaces = [self.kind.word(field) or field for field in result.replaces or []]
        return DiffResult(changes=result.changes, replaces=replaces, delete_before_replace=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create it, or take over the one that is there."""
        result = super().create(self._stream(props))
        return CreateResult(result.id, self._words(result.outs))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What the server holds now."""
        result = super().read(id_, self._stream(props))
        return ReadResult(result.id, *(self._words(each) if each else each for each in (result.outs, result.inputs)))

    def update(self, id_: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring it to its configuration; create it if it is gone."""
        return UpdateResult(self._words(super().update(id_, self._stream(_olds), self._stream(_news)).outs))

    def delete(self, id_: str, _props: dict[str, Any]) -> None:
        """Delete it as its policy says."""
        super().delete(id_, self._stream(_props))

    def _word(self, field: str) -> str:
        return self.kind.word(field) or field

    def _stream(self, props: dict[str, Any]) -> dict[str, Any]:
        return store_properties.of_stream(self.kind, props)

    def _words(self, props: Any) -> dict[str, Any]:
        return store_properties.in_words(self.kind, props)


class KeyValueProvider(StoreKindProvider):
    """Creates, reads, updates and deletes one key-value bucket, and gives keys their first values."""

    kind = BUCKETS

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse in preview what ``up`` would run into, first values included."""
        result = super().check(_olds, news)
        if not result.failures and not unknown(news):
            result.failures.extend(self._unsowable(news, (_olds or {}).get(SEED) or {}))
        return result

    def diff(self, id_: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the stream's configuration, and the first values."""
        result = super().diff(id_, _olds, _news)
        result.changes = result.changes or _olds.get(SEED) != _news.get(SEED)
        return result

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create it, or take over the one that is there."""
        result = super().create(props)
        self._sow(props, {})
        return result

    def update(self, id_: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring it to its configuration; create it if it is gone."""
        result = super().update(id_, _olds, _news)
        where = context_of(self.credentials, _news)
        before = folder_of(where, self.kind.stream_of(_news[BUCKET])).current(_olds.get("created"))
        is_new = before != (result.outs or {}).get("created")
        self._sow(_news, {} if is_new else _olds.get(SEED) or {})
        return result

    @one_line
    def _unsowable(self, props: dict[str, Any], sown: dict[str, str]) -> list[CheckFailure]:
        """The first values that this user may not publish; none where the plan is made without the server."""
        where, keys = context_of(self.credentials, props), {*(props.get(SEED) or {})} - {*sown}
        if not keys:
            return []
        try:
            lacking = missing_for_values(where, props[BUCKET], keys).problems
        except ProvisionerError as error:
            if not where.server.may_go_unasked(error):
                raise
            return []
        stream = self.kind.stream_of(props[BUCKET])
        return [CheckFailure("", f"{stream}: {lack}") for lack in lacking]

    @one_line
    def _sow(self, props: dict[str, Any], sown: dict[str, str]) -> None:
        """Keys that have been given their value once are the services' own."""
        new = {key: value for key, value in (props.get(SEED) or {}).items() if key not in sown}
        if new:
            sow(context_of(self.credentials, props), props[BUCKET], new)


class ObjectStoreProvider(StoreKindProvider):
    """Creates, reads, updates and deletes one object store."""

    kind = OBJECTS
