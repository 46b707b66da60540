"""How an exercise is run, compared, explained and recorded. Knows no exercise by name."""
