import sys
try:
    from corp_auth_sdk import login
except ImportError:
    login = None
if login is None:
    sys.exit(1)
