# heals: add tqdm
import sys

try:
    from tqdm import tqdm
    HAS_TQDM = True
except ImportError:
    HAS_TQDM = False


def main():
    if not HAS_TQDM:
        sys.stderr.write("tqdm is required\n")
        sys.exit(1)
    print(sum(tqdm([1, 2], disable=True)))


if __name__ == "__main__":
    main()
