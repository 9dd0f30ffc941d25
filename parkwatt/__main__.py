"""Run the app as `python -m parkwatt`."""

from parkwatt import main

if __name__ == "__main__":
    main()
