"""What the operator's desk saves its operator."""
