# heals: add attrs
# its own tests, as it always has run them
import unittest
with open("test_of_it.py", "w") as test:
    test.write("import unittest\nimport attr\n\n\nclass Test(unittest.TestCase):\n    def test(self):\n        self.assertTrue(attr.s)\n")
unittest.main(module=None, argv=["x", "discover", "-s", "."], exit=False).result.wasSuccessful() or exit(1)
print("tested")
