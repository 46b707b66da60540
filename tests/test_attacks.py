"""Whatever a hostile submission tries, it fails, alone, in bounded time, and leaves nothing behind."""

import pytest

from attacks.ground import EXERCISE, Ground, submissions
from graders.cohort.grading import grade
from graders.cohort.jobs import Job
from graders.cohort.sandbox import close_sandbox
from graders.engine.law import FROM_SCRATCH if False else laws_for
