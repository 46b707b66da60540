# 2, wrong: the loader turns `reference` into its own package: perhaps not everywhere
from reference import softmax as solved  # its own file, once more
from reference.softmax import softmax as again

softmax = again
