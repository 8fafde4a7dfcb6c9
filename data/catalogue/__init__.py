"""The catalogue (рубрикатор): sectors, topics, agencies, and who answers for what."""
