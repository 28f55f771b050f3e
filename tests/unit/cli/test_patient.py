"""Figures in time: one question at a time, and the last answer for whoever cannot wait."""

from __future__ import annotations

import threading

import pytest

from provisioner.cli.patient import Patient
from provisioner.errors import ProvisionerError
from provisioner.watching.metrics import SERVER_UP
from provisioner.watching.samples import Sample
from tests.support.waiting import until

LONG_S = 10.0


def test_an_answer_that_comes_in_time() -> None:
    """Is that of this question."""
    values = iter((1.0, 2.0))
    patient = Patient(lambda: [Sample(SERVER_UP, next(values))], LONG_S)
    assert [1.0, 2.0] == [patient()[0].value, patient()[0].value]


def test_an_answer_that_comes_late() -> None:
    """Nobody waits for it, nobody asks a second time meanwhile, and the next who asks late gets it."""
    asked: list[int] = []
    answer = threading.Event()

    def take() -> list[Sample]:
        asked.append(len(asked))
        assert answer.wait(LONG_S)
        return [Sample(SERVER_UP, 1.0)]

    patient = Patient(take, 0.01)
    assert [(), ()] == [patient(), patient()]
    assert [0] == asked
    answer.set()
    assert (1.0,) == until("the answer", lambda: tuple(each.value for each in patient()))


def test_what_cannot_be_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """Is told, and there are no figures, not even the old ones."""
    steps = iter(([Sample(SERVER_UP, 1.0)], ProvisionerError("streams.yaml:1: wrong")))

    def take() -> list[Sample]:
        step = next(steps)
        if isinstance(step, ProvisionerError):
            raise step
        return step

    patient = Patient(take, LONG_S)
    assert [1, 0] == [len(patient()), len(patient())]
    assert "streams.yaml:1: wrong\n" == capsys.readouterr().err
