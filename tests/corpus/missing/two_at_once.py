# heals: add attrs
import attr
import markdown
print(attr.__name__, markdown.markdown("*a*"))
