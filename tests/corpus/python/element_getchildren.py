# heals: Python <3.9
import xml.etree.ElementTree as ET
print([each.tag for each in ET.fromstring("<a><b/><c/></a>").getchildren()])
