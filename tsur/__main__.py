"""`python -m tsur`."""

from tsur.cli import main

if __name__ == "__main__":
    main()
