"""One encoder for many regions: fine-tuned on the labelled complaints of several at once."""
