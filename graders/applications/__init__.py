"""What `headstart run` runs: a learner's own modules at work on something that is no text. One file each.

A file offers `PARTS` (the files of a subject that it uses), `LIBRARIES` (what it imports beyond the course's own
dependencies, all in the extra `applications`), `SETTINGS` (plain data on which a run depends), `rehearse(run)`, which
calls all that it needs of the subject once, in no time, and leaves nothing, `run(run)`, which does it all and returns
its figures, plain data, and `tables(figures, settings)`, which is what they come to in a run of these settings.
Pictures go into `run.out`. What all of them share is in `run.py` and `training.py`. Those that can be trained on
other images than the digits stand in `image_data.py`, with all that is other then.
"""

# By name, in the order of the course: what each trains
APPLICATIONS = {
    "arithmetic": "two GPTs that add, subtract and multiply, one of which writes its answers backwards",
    "vit": "a ViT that reads digits or other images, beside a convolutional network and logistic regression",
    "image_gpt": "a GPT that draws handwritten digits, pixel after pixel",
}
EXTRA = "applications"  # of pyproject.toml: what some of them want beyond the course's own dependencies
