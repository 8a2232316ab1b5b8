# context: markupsafe==2.1.5
# heals: markupsafe <2.1
from markupsafe import soft_unicode
print(soft_unicode(1))
