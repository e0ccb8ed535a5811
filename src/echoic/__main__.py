"""Entry point of `python -m echoic`, the same as `echoic`."""

from echoic.cli import main

if __name__ == "__main__":
    main()
