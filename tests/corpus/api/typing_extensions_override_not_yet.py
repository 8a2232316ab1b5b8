# context: typing_extensions==4.3.0
# heals: typing-extensions >=4.4
from typing_extensions import override


class Base:
    def name(self):
        return "base"


class Part(Base):
    @override
    def name(self):
        return "part"


print(Part().name())
