"""The learner's loop between two saves: where they are, the next step, and help on it. Imports no torch."""
