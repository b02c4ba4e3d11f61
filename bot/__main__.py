"""`python -P -m bot` is the same as `switchover`."""

from bot.cli import main

if __name__ == "__main__":
    main()
