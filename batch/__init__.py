"""Long work on files and many series, in pieces that a killed run does not repeat: classify, new topics."""
