"""What `headstart new` puts into the course: one small exercise, whole, that its author then replaces piece by piece.

Every file is what it will be, with NAME for the exercise's name, and other words in capitals for what differs.
"""
