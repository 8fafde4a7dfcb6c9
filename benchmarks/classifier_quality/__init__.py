"""How well complaints are classified, beside rivals on the same folds."""
