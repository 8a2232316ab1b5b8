# heals: add colorama; add termcolor
import sys
try:
    from colorama import init
except ImportError as error:
    sys.exit("missing: %s" % error)
try:
    import termcolor
except:
    print("you have to install termcolor")
    exit(2)
init()
print(termcolor.colored("x", attrs=[]) is not None)
