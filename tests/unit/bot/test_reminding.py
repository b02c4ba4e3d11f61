"""The workers are asked to look for what was missed, once the store takes it."""

from __future__ import annotations

import asyncio

from bot.reminding import Reminder
from workers.errors import StoreAway


class Store:
    """Away for a while, then too soon, then well."""

    def __init__(self, answers: list[bool | None]) -> None:
        self._answers = answers
        self.nudged = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def nudge(self) -> bool:
        answer = self._answers.pop(0)
        if answer is None:
            raise StoreAway("away")
        if answer:
            self._loop.call_soon_threadsafe(self.nudged.set)
        return answer


async def remind(answers: list[bool | None], times: int) -> list[bool | None]:
    store = Store(answers)
    reminder = Reminder(store.nudge, every=0.001)
    for _ in range(times):
        reminder.missed()
    await asyncio.wait_for(store.nudged.wait(), timeout=5)
    reminder.stop()
    return answers


def test_it_asks_until_the_store_takes_it_however_often_something_was_missed() -> None:
    assert asyncio.run(remind([None, None, False, True, True], times=3)) == [True]


def test_it_asks_again_after_the_next_time_something_was_missed() -> None:
    async def twice() -> list[bool | None]:
        answers: list[bool | None] = [True, True]
        store = Store(answers)
        reminder = Reminder(store.nudge, every=0.001)
        for _ in range(2):
            store.nudged.clear()
            reminder.missed()
            await asyncio.wait_for(store.nudged.wait(), timeout=5)
            await reminder.idle()
        return answers

    assert asyncio.run(twice()) == []
