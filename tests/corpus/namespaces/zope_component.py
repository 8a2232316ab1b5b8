# context: zope.interface==6.4.post2
# heals: add zope-component
from zope.component import getGlobalSiteManager
print(getGlobalSiteManager().__name__)
