# heals: add python-dateutil
import multiprocessing


def year(text):
    import dateutil.parser
    return dateutil.parser.parse(text).year


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(pool.map(year, ["2001-02-03", "2004-05-06"]))
