"""What the graders of several tasks share: spaces of cases, and stories told of them."""
