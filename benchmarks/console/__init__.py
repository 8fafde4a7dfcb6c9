"""How quick the console is: its files, its first paint, its largest table, its calls with a full store."""
