# python: 3.12
# heals: Python <3.12
import unittest


class Case(unittest.TestCase):
    def runTest(self):
        pass


Case().assertEquals(1, 1)
print("equal")
