from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from workers.releases.model import Downtime
from workers.releases.probing import ProbeSpec, Tally

EVERY = 0.2
START = 1_700_000_000.0


@dataclass(frozen=True)
class Probe:
    sent: float
    answered: float
    ok: bool


def tally_of(probes: list[Probe], tally: Tally | None = None) -> Tally:
    counted = tally or Tally(every=EVERY)
    for probe in probes:
        counted = counted.record(probe.sent, probe.answered, ok=probe.ok, why=None if probe.ok else "503")
    return counted


def pattern(marks: str, took: float = 0.01) -> list[Probe]:
    """Turn `++-+` into probes on the clock: a good one for each plus, a failed one for each minus."""
    sent = [round(START + number * EVERY, 3) for number in range(len(marks))]
    return [Probe(at, at + took, mark == "+") for at, mark in zip(sent, marks, strict=True)]


@st.composite
def probes_on_a_clock(draw: st.DrawFn, most: int = 60) -> list[Probe]:
    outcomes = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 2000)), min_size=1, max_size=most))
    return [
        Probe(at := round(START + number * EVERY, 3), round(at + took / 1000, 3), ok)
        for number, (ok, took) in enumerate(outcomes)
    ]


def longest_gap_by_definition(probes: list[Probe], until: float) -> int:
    def end(failed: Probe) -> float:
        later = [probe.answered for probe in probes if probe.ok and probe.sent > failed.sent]
        return min(later, default=until)

    return max(
        (round(end(probe) * 1000) - round(probe.sent * 1000) for probe in probes if not probe.ok), default=0
    )


def test_all_good_probes_show_no_downtime() -> None:
    assert tally_of(pattern("+" * 200)).downtime(EVERY) == Downtime(200, 0, 0, 200, 0)


def test_the_gap_lasts_from_sending_the_first_failed_probe_to_the_next_good_answer() -> None:
    downtime = tally_of(pattern("++---++-+")).downtime(EVERY)

    assert (downtime.probes, downtime.failed, downtime.longest_gap_ms) == (9, 4, 610)


def test_a_gap_that_is_still_open_counts_up_to_now() -> None:
    tally = tally_of(pattern("++--"))

    assert tally.longest_gap_ms() == 210
    assert tally.longest_gap_ms(now=START + 5) == 4600


def test_an_outage_longer_than_what_is_kept_is_measured_whole() -> None:
    tally = tally_of(pattern("+" + "-" * 500 + "+" + "+" * 500))

    assert tally.longest_gap_ms() == 500 * 200 + 10
    assert tally.failed == 500
    assert len(tally.samples) == tally.keep


def test_an_open_outage_longer_than_what_is_kept_still_knows_its_beginning() -> None:
    tally = tally_of(pattern("+" + "-" * 500))

    assert tally.longest_gap_ms(now=START + 200) == 199_800


@settings(deadline=None)
@given(probes_on_a_clock())
def test_the_longest_gap_is_what_its_definition_says(probes: list[Probe]) -> None:
    until = max(probe.answered for probe in probes)

    assert tally_of(probes).longest_gap_ms(until) == longest_gap_by_definition(probes, until)


@settings(deadline=None)
@given(st.data(), probes_on_a_clock())
def test_answers_may_come_in_any_order(data: st.DataObject, probes: list[Probe]) -> None:
    assert tally_of(data.draw(st.permutations(probes))) == tally_of(probes)


@settings(deadline=None)
@given(probes_on_a_clock(most=300))
def test_answers_told_as_they_come_count_like_answers_in_order_of_sending(probes: list[Probe]) -> None:
    as_they_come = sorted(probes, key=lambda probe: probe.answered)
    until = as_they_come[-1].answered

    assert tally_of(as_they_come).downtime(EVERY, until) == tally_of(probes).downtime(EVERY, until)


@settings(deadline=None)
@given(probes_on_a_clock(most=150), st.integers(0, 150))
def test_what_was_written_down_goes_on_as_if_nothing_had_happened(probes: list[Probe], cut: int) -> None:
    first = tally_of(probes[:cut])
    again = Tally.from_json(first.to_json())

    assert again == first
    assert tally_of(probes[cut:], again) == tally_of(probes)


def test_failures_before_a_time_do_not_count_after_it() -> None:
    tally = tally_of(pattern("+-----"))

    assert tally.failed_in_a_row == 5
    assert tally.failed_in_a_row_since(START + 2 * EVERY) == 3
    assert tally.failed_in_a_row_since(START + 10) == 0


def test_a_probe_sent_before_a_time_and_answered_after_it_counts_as_before() -> None:
    tally = tally_of([Probe(START, START + 1.9, ok=False), Probe(START + 0.2, START + 0.3, ok=False)])

    assert tally.failed_in_a_row_since(START + 0.1) == 1


def test_a_probe_sent_in_the_same_millisecond_as_a_time_counts_as_before() -> None:
    tally = tally_of([Probe(START, START + 0.1, ok=True)])

    assert (tally.good_since(START), tally.good_since(START - 0.001)) == (0, 1)


def test_one_good_answer_ends_a_row_of_failures() -> None:
    tally = tally_of(pattern("+--+-"))

    assert tally.failed_in_a_row == 1
    assert tally.good_in_a_row == 0


def test_a_slow_failure_does_not_break_the_row_of_good_probes_sent_after_it() -> None:
    tally = tally_of([*pattern("++++++")[1:], Probe(START, START + 2.0, ok=False)])

    assert tally.good_in_a_row == 5
    assert tally.longest_gap_ms() == 210


def test_good_probes_since_a_time_are_counted() -> None:
    tally = tally_of(pattern("+++-++"))

    assert tally.good_since(START + EVERY) == 3
    assert tally.good_in_a_row == 2


def test_a_hole_in_the_probing_is_unobserved_and_neither_up_nor_down() -> None:
    before = pattern("+++")
    after = [Probe(probe.sent + 3, probe.answered + 3, probe.ok) for probe in pattern("+++")]
    downtime = tally_of([*before, *after]).downtime(EVERY)

    assert downtime.unobserved_ms == 3000 - 2 * 200 - 200
    assert downtime.longest_gap_ms == 0


def test_a_hole_is_remembered_when_its_samples_are_not_kept_any_more() -> None:
    after = [Probe(probe.sent + 3, probe.answered + 3, probe.ok) for probe in pattern("+" * 500)]

    assert tally_of([*pattern("+++"), *after]).unobserved_ms() == 2400


def test_a_prober_that_has_been_silent_for_long_makes_the_time_unobserved() -> None:
    tally = tally_of(pattern("+++"))

    assert tally.unobserved_ms(now=START + 1) == 0
    assert tally.unobserved_ms(now=START + 60.4) == 60_000


def test_the_last_failure_is_the_one_sent_last() -> None:
    tally = Tally().record(START + 1, START + 1.1, ok=False, why="answered 502, not 200")
    tally = tally.record(START, START + 2, ok=False, why="no answer within 2 s")

    assert tally.last_failure == "answered 502, not 200"


def test_enough_samples_are_kept_to_count_as_many_failures_as_asked_for() -> None:
    tally = tally_of(pattern("-" * 300), Tally.of(ProbeSpec("http://127.0.0.1/", failures=250)))

    assert tally.failed_in_a_row_since(START) >= 250


def test_a_specification_survives_being_written_down() -> None:
    spec = ProbeSpec("https://shop.example.com/health", status=204, every=0.5, timeout=3, failures=4)

    assert ProbeSpec.from_json(spec.to_json()) == spec
