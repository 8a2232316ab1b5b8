# context: joblib==1.4.2
# heals: add tabulate
from joblib import Parallel, delayed


def row(number):
    import tabulate
    return tabulate.tabulate([[number]], tablefmt="plain")


print(Parallel(n_jobs=2)(delayed(row)(number) for number in range(2)))
