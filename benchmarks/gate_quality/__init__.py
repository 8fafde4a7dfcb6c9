"""Does the promotion gate refuse what is poisoned, and pass what is honest?"""
