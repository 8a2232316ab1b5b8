# python: 3.7
# context: markdown==3.3.4 importlib-metadata==5.2.0
# heals: importlib-metadata <5.0
import markdown
print(markdown.markdown("# x", extensions=["extra"]))
