# heals: add requests; add tqdm
import requests


def later():
    import tqdm
    return tqdm.__name__


print(requests.__name__, later())
