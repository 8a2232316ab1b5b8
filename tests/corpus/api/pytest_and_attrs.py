# python: 3.7
# context: pytest==3.4.2 attrs==19.3.0
# heals: attrs <19.2
import pytest
print(callable(pytest.main))
