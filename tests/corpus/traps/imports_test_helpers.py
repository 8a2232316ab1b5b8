from test_helpers import run
