"""What you write: one file for each exercise, in this order, each beside the command that checks it.

    tensors      pytest graders/test_tensors.py
    markov       pytest graders/test_markov.py
    softmax      pytest graders/test_softmax.py
    tokenizer    pytest graders/test_tokenizer.py
    backprop     pytest graders/test_backprop.py
    embedding    pytest graders/test_embedding.py
    layer_norm   pytest graders/test_layer_norm.py
    attention    pytest graders/test_attention.py
    mlp          pytest graders/test_mlp.py
    block        pytest graders/test_block.py
    gpt          pytest graders/test_gpt.py
    sampling     pytest graders/test_sampling.py
    beam_search  pytest graders/test_beam_search.py
    caching      pytest graders/test_caching.py
    loss         pytest graders/test_loss.py
    optimizer    pytest graders/test_optimizer.py
    training     pytest graders/test_training.py
    arithmetic   pytest graders/test_arithmetic.py
    patches      pytest graders/test_patches.py
    vit          pytest graders/test_vit.py
    cka          pytest graders/test_cka.py
    image_gpt    pytest graders/test_image_gpt.py

Read the page of the first in docs/exercises/, open the file, put your code in place of a
`raise NotImplementedError`, run the command, and read what it says.
"""
