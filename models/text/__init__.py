"""Text as the models read it: the contract of training and serving."""
