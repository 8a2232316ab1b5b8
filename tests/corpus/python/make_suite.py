# python: 3.13
# heals: Python <3.13
import unittest


class Test(unittest.TestCase):
    def test_it(self):
        pass


print(unittest.makeSuite(Test).countTestCases())
