"""`python -m ethogram` is the command `ethogram`."""

from ethogram.app.cli import main

if __name__ == "__main__":
    main()
