# heals: add tabulate
import multiprocessing


def parse(arguments):
    import tabulate
    return tabulate.tabulate([arguments], tablefmt="plain")


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(parse, (["me"],)))
