"""What a service pays for many regions on one worker, for a challenger in the shadow, and for being safe to call."""
