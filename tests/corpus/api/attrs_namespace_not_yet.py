# context: attrs==20.3.0
# heals: add attrs
from attrs import define


@define
class Point:
    x: int = 0


print(Point(3))
