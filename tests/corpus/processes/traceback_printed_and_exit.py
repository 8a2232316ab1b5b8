# heals: add xmltodict
import sys
import traceback


def main():
    import xmltodict
    print(dict(xmltodict.parse("<a>1</a>")))


try:
    main()
except Exception:
    traceback.print_exc()
    sys.exit(1)
