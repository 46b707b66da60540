"""`headstart see`: what a learner's own code does on a sentence, as one page that opens offline.

A file a picture: each asks the subject, in a process of its own, for what is drawn, puts TransformerLens's numbers
beside it, and returns a `Picture`. `page.py` writes the page; the `.css` and `.js` beside it are put into it.
"""
