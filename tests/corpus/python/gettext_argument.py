# heals: Python <3.11
import gettext
print(gettext.translation("nothing", fallback=True, codeset="utf-8").gettext("a"))
