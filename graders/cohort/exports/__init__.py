"""The gradebook in the forms that other programs read; each file writes one kind."""
