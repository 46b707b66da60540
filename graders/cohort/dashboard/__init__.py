"""What a lead looks at: a static site and a weekly digest, made from the history alone."""
