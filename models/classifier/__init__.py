"""The classifier: labels, n-grams, joint decoding, calibration, and what explains a decision."""
