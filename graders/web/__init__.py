"""A model for the site's Explorer, which runs in the reader's browser: an ONNX graph, its tokenizer, and its sizes."""
