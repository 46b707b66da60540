"""The learner's loop: save, verdict, hint, progress."""
