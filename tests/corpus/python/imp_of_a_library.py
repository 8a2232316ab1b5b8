# python: 3.12
# context: nose==1.3.7
# heals: Python <3.12; Python <3.10
import nose
with open("test_it.py", "w") as test:
    test.write("def test_it():\n    assert True\n")
nose.run(argv=["nosetests", "-q", "test_it.py"])
print("tested")
