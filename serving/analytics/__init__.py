"""What is computed from many stored complaints: live counts, surges, new topics."""
