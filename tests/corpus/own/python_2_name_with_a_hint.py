import typing
values: typing.List[int] = list(map(int, raw_input))
