"""What runs a learner's code. Imports torch and the standard library alone, and nothing else of ours.

This folder is all that stands beside a learner's files in their process: it performs one request
after another and answers each with plain data. It holds no law, no reference and no expected value.
"""
