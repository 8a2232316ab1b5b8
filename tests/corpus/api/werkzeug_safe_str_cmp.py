# context: werkzeug==2.3.8
# heals: werkzeug <2.1
from werkzeug.security import safe_str_cmp
print(safe_str_cmp("a", "a"))
