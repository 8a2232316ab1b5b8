import circular
circular.later()


def later():
    pass
