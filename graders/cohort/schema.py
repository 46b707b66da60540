"""The tables of a cohort's history, as SQL: what is appended here is done to older histories when they are opened.

Times are UTC, as ISO texts to the second. A migration that was published is never changed: a later one mends it.
"""

TABLES = """
CREATE TABLE learners (  -- the roster as last applied
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    repository TEXT NOT NULL,
    section TEXT NOT NULL DEFAULT '',
    start TEXT,
    email TEXT NOT NULL DEFAULT '',
    is_active INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE visits (  -- each time that a repository was looked at
    id INTEGER PRIMARY KEY,
    learner TEXT NOT NULL REFERENCES learners(id),
    at TEXT NOT NULL,
    commit_id TEXT NOT NULL DEFAULT '',
    committed_at TEXT NOT NULL DEFAULT '',
    problem TEXT NOT NULL DEFAULT '',  -- why it could not be
    reader TEXT NOT NULL DEFAULT ''  -- which version of what reads submissions looked
);
CREATE INDEX visits_of_learner ON visits (learner, at);

CREATE TABLE submissions (  -- a row for each text that differs from the one before it
    id INTEGER PRIMARY KEY,
    learner TEXT NOT NULL REFERENCES learners(id),
    exercise TEXT NOT NULL,
    subject_hash TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    committed_at TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL
);
CREATE INDEX submissions_of_learner ON submissions (learner, exercise, first_seen);
CREATE INDEX submissions_of_text ON submissions (exercise, subject_hash);

CREATE TABLE gradings (  -- of a text, whoever handed it in
    id INTEGER PRIMARY KEY,
    exercise TEXT NOT NULL,
    subject_hash TEXT NOT NULL,
    grader_version TEXT NOT NULL,
    seed_policy TEXT NOT NULL,
    isolation TEXT NOT NULL,
    began_at TEXT NOT NULL,
    finished_at TEXT,  -- null until every law has its record
    asked_at TEXT NOT NULL,  -- when a run last wanted this verdict, graded anew or not
    status TEXT NOT NULL DEFAULT '',  -- passed, failed, error, not_started, problem
    n_laws INTEGER NOT NULL DEFAULT 0,
    n_passed INTEGER NOT NULL DEFAULT 0,
    n_tasks INTEGER NOT NULL DEFAULT 0,
    n_done INTEGER NOT NULL DEFAULT 0,
    law TEXT NOT NULL DEFAULT '',  -- of the first broken law, as is the misconception
    misconception TEXT NOT NULL DEFAULT '',
    UNIQUE (exercise, subject_hash, grader_version, seed_policy, isolation)
);

CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    grading INTEGER NOT NULL REFERENCES gradings(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    task TEXT NOT NULL,
    law TEXT NOT NULL,
    statement TEXT NOT NULL,
    status TEXT NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    misconception TEXT NOT NULL,
    counterexample TEXT NOT NULL,
    yours TEXT NOT NULL,
    expected TEXT NOT NULL,
    points INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    seed INTEGER,
    observed_by TEXT NOT NULL,
    is_private INTEGER NOT NULL,
    time TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    UNIQUE (grading, law)
);

-- Every text that a learner handed in, with that of its finished gradings which counts: one that came as records never
-- hides one that was given here, nor one below the sandbox one from the sandbox; else the one last asked for.
CREATE VIEW attempts AS
SELECT
    s.learner, s.exercise, s.subject_hash, s.id AS submission, s.commit_id, s.committed_at, s.first_seen, s.last_seen,
    (SELECT max(v.at) FROM visits v WHERE v.learner = s.learner AND v.problem = '' AND v.at < s.first_seen)
    AS seen_before,  -- the last visit that did not find it
    g.id AS grading, g.grader_version, g.seed_policy, g.isolation, g.began_at, g.finished_at, g.asked_at,
    g.status, g.n_laws, g.n_passed, g.n_tasks, g.n_done, g.law, g.misconception
FROM submissions s
LEFT JOIN gradings g ON g.id = (
    SELECT id FROM gradings c
    WHERE c.exercise = s.exercise AND c.subject_hash = s.subject_hash AND c.finished_at IS NOT NULL
    ORDER BY c.seed_policy = 'imported', c.isolation = 'sandbox' DESC, c.asked_at DESC, c.finished_at DESC, c.id DESC
    LIMIT 1
);

-- Per learner and exercise the newest of them
CREATE VIEW verdicts AS
SELECT * FROM attempts a
WHERE a.submission = (
    SELECT id FROM submissions s
    WHERE s.learner = a.learner AND s.exercise = a.exercise ORDER BY s.first_seen DESC, s.id DESC LIMIT 1
);
"""

DIGESTS = """
CREATE TABLE digests (  -- when reports were made: a digest tells what is new since one of them
    at TEXT PRIMARY KEY
);
"""

PROBES = """
CREATE TABLE probes (  -- of the sandbox, when a run began to grade in it
    at TEXT PRIMARY KEY,
    reason TEXT NOT NULL,  -- what bounds a learner's processes
    mend TEXT NOT NULL  -- what would bound them better, or ''
);
"""

OWN = """
ALTER TABLE submissions ADD COLUMN own_hash TEXT NOT NULL DEFAULT '';
-- of the exercise's own file alone: another one is another attempt; '' where it is not known
"""

# The first makes version 1 of an empty file, the second makes version 2 of that, and so on
MIGRATIONS = (TABLES, DIGESTS, PROBES, OWN)
