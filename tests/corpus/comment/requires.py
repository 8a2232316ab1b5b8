#!/usr/bin/env python3
# context: click==8.1.7
# heals: click <8
# predicted: only
# requires: click<8
import click


@click.command()
def main():
    click.echo("old click" if click.__version__ < "8" else "new click")


if __name__ == "__main__":
    main(standalone_mode=False)
