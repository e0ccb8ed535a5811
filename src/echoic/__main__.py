"""`python -m echoic` is `echoic`."""

from echoic.cli import main

if __name__ == "__main__":
    main()
