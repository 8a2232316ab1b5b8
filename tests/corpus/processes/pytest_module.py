# context: pytest==8.3.3
# heals: add freezegun
import pytest
with open("test_time.py", "w") as test:
    test.write("from freezegun import freeze_time\n\n\n@freeze_time('2012-01-14')\ndef test_time():\n"
               "    import datetime\n    assert datetime.date.today().year == 2012\n")
raise SystemExit(pytest.main(["-qq", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-o", "console_output_style=none"]))
