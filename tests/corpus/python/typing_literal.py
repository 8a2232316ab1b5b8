# python: 3.7
# heals: Python >=3.8
from typing import Literal, TypedDict


class Row(TypedDict):
    kind: Literal["a", "b"]


print(Row(kind="a"))
