"""A roster of learners graded in a sandbox, with a history and a dashboard. Uses the engine; names no exercise."""
