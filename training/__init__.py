"""One module a verb: train, evaluate, backtest, register; each is also a `tsur` command."""
