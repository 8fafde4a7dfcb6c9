"""Models that get better by what operators say: versions of the labelled rows, and what is compared on them."""
