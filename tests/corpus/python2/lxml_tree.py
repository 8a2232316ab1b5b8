# heals: add lxml; Python <3
import lxml.etree as et

root = et.fromstring("<a><b>1</b><b>2</b></a>")
print(sum(long(b.text) for b in root.iter("b")))
