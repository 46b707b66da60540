"""The loop of `headstart watch`: a save, a verdict in its place, a key for what comes next.

One thread decides; others put what happens into a queue: files that changed, keys, verdicts. Imports no torch: what
grades is a process of its own (`processes.py`), so that a key is answered while it imports, or computes.
"""

import json
import queue
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from graders.engine.course import EXERCISES, Exercise, load_course
from graders.loop.frame import Terminal, View, text
from graders.loop.keys import keys_into
from graders.loop.processes import Fresh, Grader, Warm, can_fork
from graders.loop.runs import Runs
from graders.loop.saves import Saves, watch_folder

TICK = 1.0  # seconds between two looks at the files, should no change have been told
KEYS = "h hint   n next   p previous   l list   a run all   r reset   Esc back   q quit"
FRESH = "Each run starts a process of its own here, which takes some seconds longer than forking one."


@dataclass(frozen=True)
class Options:
    """How to watch."""

    exercise: str  # that is shown first
    is_pinned: bool = False  # to that exercise, whatever is saved
    as_json: bool = False
    is_fresh: bool = not can_fork()  # each run in a process of its own


class Watch:
    """What is shown while watching, and what is done about what happens."""

    def __init__(self, options: Options, grader: Grader, saves: Saves, terminal: Terminal):
        self.options, self.saves, self.terminal = options, saves, terminal
        self.course = load_course()
        self.names = [exercise.name for exercise in self.course.exercises]
        self.runs = Runs(grader, saves)
        self.shown = options.exercise
        self.is_ready = options.is_fresh
        self.all: set[str] = set()  # exercises that "run all" has still to come to
        self.notes: list[str] = []
        self.panel: list[str] = []
        self.asked: tuple[str, str] | None = None  # exercise and task that may be reset
        self.is_over = False
        if options.is_fresh:
            self.say(FRESH)
        self.runs.request([self.shown])

    def happened(self, kind: str, *what: Any) -> None:
        """Take in one event."""
        if kind == "quit":
            self.is_over = True
        elif kind == "key":
            self.press(what[0])
        self.look()  # also before a verdict: it may be of a text that is no longer there
        if kind == "graded":
            self.take(what[0])
        self.runs.begin()

    def look(self) -> None:
        """See which files changed, and have them graded."""
        changes = self.saves.changes()
        for change in changes:
            if change.what == "gone":
                self.lose(change.name)
        concerned = {self.concerned(change.name) for change in changes if change.what != "gone"} - {""}
        if not concerned:
            return
        # Several at once: what has a new text before what has not, then the one that is shown
        known = self.runs.is_known
        saved = sorted(concerned, key=lambda name: (known(name), name != self.shown, self.names.index(name)))
        self.shown, self.notes, self.panel, self.asked = saved[0], [], [], None
        for name in saved:
            if self.runs.is_known(name) and name != self.runs.running:
                self.say(f"exercises/{name}.py is unchanged: the verdict on it stands.")
        self.runs.settle()
        self.runs.request([name for name in saved if not self.runs.is_known(name)])

    def concerned(self, name: str) -> str:
        """The exercise that is to be graded when a file was saved; none when that file has no say in what is shown."""
        if self.options.is_pinned or name not in self.names:
            return self.shown if self.saves.is_needed(name, self.shown) else ""
        return name

    def lose(self, name: str) -> None:
        """Say that a file is gone, and wait for it."""
        self.runs.forget(name)
        self.say(f"exercises/{name}.py is gone. Put it back, or write its stub: `headstart stubs {name}`.")

    def take(self, said: dict[str, Any]) -> None:
        """Take in what a grading process said."""
        self.is_ready |= "ready" in said
        name, trouble = self.runs.take(said)
        if trouble:
            self.say(trouble)
        if not name:
            return
        if self.options.as_json:
            said = said | {"file_hash": self.saves.hashes[name], "n_done": self.runs.n_done(name)}
            self.terminal.write([json.dumps(said, ensure_ascii=False)])
        elif not self.terminal.is_drawn:
            self.terminal.write(text(replace(self.view(name), activity="")))
        if name in self.all:
            self.all.remove(name)
            self.panel = self.panel if self.all else self.everything()
        elif name != self.shown:
            self.say(f"Also graded: {name}, {self.runs.n_done(name)} of {len(self.course[name].tasks)} tasks done.")

    def press(self, key: str) -> None:
        """Do what a key says."""
        asked, self.asked = self.asked, None
        actions = {
            "h": self.hint,
            "n": lambda: self.turn(+1),
            "p": lambda: self.turn(-1),
            "l": self.show_list,
            "a": self.grade_all,
            "r": self.ask_to_reset,
        }
        if not key:  # the terminal is ours again, and somebody else wrote on it
            self.terminal.forget()
        elif key in ("q", "\x03", "\x04"):
            self.is_over = True
        elif key == "\x1b":
            self.panel, self.notes = [], []
        elif asked:
            self.answer(key, *asked)
        elif key in actions:
            self.notes = []
            actions[key]()

    def hint(self) -> None:
        """Show the next rung of the ladder for the task at hand."""
        from graders.loop.hints import next_hint

        self.panel = next_hint(self.shown, self.runs.task_at_hand(self.shown) or None)

    def show_list(self) -> None:
        """Show all exercises, or show them no more."""
        from graders.loop.progress import status_lines

        lines = status_lines()
        lines = lines[2 : lines.index("", 2)]  # without how far all is, and what is next
        self.panel = [] if self.panel == lines else lines

    def turn(self, step: int) -> None:
        """Show the exercise that follows, or the one before."""
        place = self.names.index(self.shown) + step
        if not 0 <= place < len(self.names):
            self.say(f"{self.shown} is the {'first' if step < 0 else 'last'} exercise.")
            return
        self.shown, self.panel = self.names[place], []
        self.runs.request([] if self.runs.is_known(self.shown) else [self.shown])

    def grade_all(self) -> None:
        """Grade every exercise whose verdict is not known, the one that is shown first."""
        names = sorted(self.names, key=lambda name: name != self.shown)
        waiting = [name for name in names if not self.runs.is_known(name) or name == self.runs.running]
        self.all, self.panel = set(waiting), [] if waiting else self.everything()
        self.runs.request(waiting)

    def everything(self) -> list[str]:
        """How far each exercise is."""
        rows = [
            (exercise.name, self.runs.n_done(exercise.name), len(exercise.tasks)) for exercise in self.course.exercises
        ]
        return [
            *(f"  {name:14}{done:2} of {n:2} tasks done" for name, done, n in rows),
            f"In all {sum(done for _name, done, _n in rows)} of {sum(n for _name, _done, n in rows)}.",
        ]

    def ask_to_reset(self) -> None:
        """Ask before a task becomes its stub again."""
        if task := self.runs.task_at_hand(self.shown):
            self.asked = (self.shown, task)
        else:
            self.say(f"Every task of {self.shown} is done. `headstart reset TASK` resets one all the same.")

    def answer(self, key: str, exercise: str, task: str) -> None:
        """Reset a task, if the answer is yes."""
        from graders.loop.files import reset, shown_path

        if key.lower() != "y":
            self.say("Nothing was changed.")
            return
        try:
            backup = reset(exercise, task)
        except (OSError, ValueError) as error:
            self.say(str(error))
            return
        self.look()  # which has it graded, before the line is said that is to stay
        self.say(f"{task} is its stub again. What you had is kept in {shown_path(backup)}.")

    def say(self, line: str) -> None:
        """A line for the learner, until the next save or key."""
        self.notes.append(line)
        if not self.terminal.is_drawn and not self.options.as_json:
            self.terminal.write([line])

    def view(self, exercise: str) -> View:
        """What is on the screen of an exercise."""
        verdict, entry = self.runs.verdicts.get(exercise, {}), self.course[exercise]
        n_done, notes = self.runs.n_done(exercise), [*filter(None, [verdict.get("note")]), *self.notes]
        if verdict and n_done == len(entry.tasks):
            notes = [self.praise(entry), *notes]
        return View(
            exercise,
            n_done,
            len(entry.tasks),
            self.saved_ago(exercise),
            self.activity(),
            verdict.get("screens", ()),
            verdict.get("summary", ()),
            notes,
            self.panel,
            f"Reset {self.asked[1]} of {self.asked[0]} to its stub? Your text is kept.  y/n" if self.asked else KEYS,
        )

    def praise(self, exercise: Exercise) -> str:
        """What is said when all laws hold, with the way on."""
        following = self.course.exercises[self.names.index(exercise.name) + 1 :]
        way_on = "It was the last exercise."
        if following:
            key = "Press n for" if self.terminal.takes_keys else "Next is"
            way_on = f"{key} {following[0].name}: {following[0].page}"
        return f"{exercise.name} is done: every law holds. {way_on}"

    def activity(self) -> str:
        """What goes on."""
        if not self.is_ready:
            return "starting ..."
        name, n_more = self.runs.running or next(iter(self.runs.waiting), ""), len(self.runs.waiting)
        if not name:
            return ""
        more = f", {n_more} more to come" if self.runs.running and n_more else ""
        return "grading ..." if name == self.shown and not more else f"grading {name}{more} ..."

    def saved_ago(self, exercise: str) -> str:
        """How long ago the file was saved."""
        saved = self.saves.saved_at(exercise)
        if saved is None:
            return "no file"
        seconds = max(0, int(time.time() - saved))
        for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
            if seconds >= size:
                return f"saved {seconds // size} {unit} ago"
        return f"saved {seconds} s ago"


def watch(options: Options) -> None:
    """Watch until `q` or Ctrl-C; no process that was started here is left behind."""
    events: queue.SimpleQueue = queue.SimpleQueue()

    def quit_watching(_signal: int, _frame: FrameType | None) -> None:
        events.put(("quit",))

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), quit_watching)
    with ExitStack() as stack:
        terminal = Terminal(takes_keys=not options.as_json)
        saves = Saves(EXERCISES, load_course())
        watch_folder(EXERCISES, events)
        grader = (Fresh if options.is_fresh else Warm)(events)
        stack.callback(grader.close)
        if terminal.is_drawn:
            stack.callback(terminal.write, [""])  # whoever writes next begins a line of their own
        if terminal.takes_keys:
            stack.enter_context(keys_into(events))
        current = Watch(options, grader, saves, terminal)
        while not current.is_over:
            current.runs.begin()
            if terminal.is_drawn:
                terminal.draw(current.view(current.shown))
            wait = current.runs.seconds_to_wait()
            try:
                event = events.get(timeout=TICK if wait is None else min(TICK, wait))
            except queue.Empty:
                event = ("tick",)
            current.happened(*event)
