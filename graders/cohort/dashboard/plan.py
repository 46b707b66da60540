"""When exercises are due: by the policy, and where it says nothing, by the course's sessions, one a week."""

import datetime

from graders.cohort.dashboard.needs import Due
from graders.cohort.policy import Policy
from graders.cohort.roster import Learner
from graders.engine.course import Exercise

SESSION = 7  # days


def weekly(start: datetime.date | None, exercise: Exercise) -> datetime.date | None:
    """When an exercise should be done, at a session a week from a learner's start; None without a start, and
    for what comes after the sessions."""
    if start is None or exercise.session is None:
        return None
    return start + datetime.timedelta(days=SESSION * exercise.session)


def due_of(policy: Policy) -> Due:
    """The day by which the policy has an exercise done; without any due dates in it, that of a session a week."""

    def due(learner: Learner, exercise: Exercise) -> datetime.date | None:
        moment = policy.due(learner, exercise.name)
        if moment or _has_dates(policy):
            return moment.date() if moment else None
        start = learner.start or policy.starts.get(learner.section)
        return weekly(start, exercise)

    return due


def plan_of(policy: Policy) -> str:
    """A sentence on where the due dates come from."""
    if _has_dates(policy):
        return "Due dates are those of the policy, extensions included."
    return "The policy names no due dates: an exercise is due at the end of its session, one a week from the start."


def _has_dates(policy: Policy) -> bool:
    return bool(policy.due_exercises or policy.due_sessions or policy.extensions)
