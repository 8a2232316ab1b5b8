# heals: add tabulate
def main():
    from tabulate import tabulate
    print(tabulate([[1]], tablefmt="plain"))


main()
