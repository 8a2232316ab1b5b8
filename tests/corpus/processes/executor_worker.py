# heals: add chardet
from concurrent.futures import ProcessPoolExecutor


def encoding(data):
    import chardet
    return chardet.detect(data)["encoding"]


if __name__ == "__main__":
    with ProcessPoolExecutor(1) as executor:
        print(executor.submit(encoding, b"abc").result())
