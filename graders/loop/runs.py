"""Which exercises are graded, one after the other, and what came of each."""

import time
from collections.abc import Sequence
from typing import Any

from graders.engine import journal
from graders.engine.course import load_course
from graders.engine.record import BROKEN, DONE
from graders.loop.processes import Grader
from graders.loop.saves import Saves

BURST, QUIET = 0.4, 0.3  # seconds: saves that follow each other closer than one are graded after the other


class Runs:
    """The run that is under way, those that wait, and the newest verdict on each exercise."""

    def __init__(self, grader: Grader, saves: Saves):
        self.grader, self.saves = grader, saves
        self.verdicts: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}  # of the texts that were graded last, or are being graded
        self.running = ""  # an exercise
        self.waiting: list[str] = []
        self.saved = self.due = 0.0

    def is_known(self, exercise: str) -> bool:
        """Whether there is a verdict on the text that stands there now, or soon will be."""
        return self.keys.get(exercise) == self.saves.key(exercise)

    def request(self, exercises: Sequence[str]) -> None:
        """Have exercises graded before all others; what runs is dropped, and graded later if it is another."""
        if not exercises:
            return
        if self.running:
            interrupted = [] if self.running in exercises else [self.running]
            self.drop()
            self.waiting = interrupted + self.waiting
        self.waiting = [*exercises, *(name for name in self.waiting if name not in exercises)]

    def settle(self) -> None:
        """Files were saved just now: wait for more, if the save before was as near."""
        now = time.monotonic()
        self.due = now + QUIET if now - self.saved < BURST else now
        self.saved = now

    def drop(self) -> None:
        """End the run that is under way."""
        self.grader.drop()
        self.keys.pop(self.running, None)
        self.running = ""

    def forget(self, exercise: str) -> None:
        """Grade an exercise no more: its file is gone."""
        if exercise == self.running:
            self.drop()
        self.waiting = [name for name in self.waiting if name != exercise]

    def begin(self) -> None:
        """Begin with the next exercise that waits, once no more saves follow each other."""
        if self.waiting and not self.running and time.monotonic() >= self.due:
            self.running = self.waiting.pop(0)
            self.keys[self.running] = self.saves.key(self.running)
            self.grader.grade(self.running)

    def seconds_to_wait(self) -> float | None:
        """How long until the next can begin; None when none waits to begin."""
        return max(0.0, self.due - time.monotonic()) if self.waiting and not self.running else None

    def take(self, said: dict[str, Any]) -> tuple[str, str]:
        """Take in what a grading process said: the exercise there is a verdict on, and why there is none.

        Both are empty where what was said is of no interest any more.
        """
        if said.get("run") != self.grader.run or not self.running:
            return "", ""
        name, self.running = self.running, ""
        if "tasks" in said:
            self.verdicts[name] = said
            return name, ""
        self.keys.pop(name, None)
        how = f" It said: {said['error']}" if said.get("error") else ""
        return "", f"The grading of {name} ended without a verdict ({said['ended']}). Save again to repeat it.{how}"

    def states(self, exercise: str) -> dict[str, str]:
        """How each task stands, by these runs or by what is remembered."""
        if exercise in self.verdicts:
            return self.verdicts[exercise]["tasks"]
        remembered = journal.verdict_on(exercise)
        return {task.name: remembered.state(task.name) for task in load_course()[exercise].tasks}

    def n_done(self, exercise: str) -> int:
        """How many tasks are done."""
        return list(self.states(exercise).values()).count(DONE)

    def task_at_hand(self, exercise: str) -> str:
        """What is to be mended first, else the first task that is not done; empty when all are."""
        states = self.states(exercise)
        found = [name for name in states if states[name] == BROKEN] + [name for name in states if states[name] != DONE]
        return found[0] if found else ""
