"""What routing without an operator is worth: re-routings avoided, days of waiting saved."""
