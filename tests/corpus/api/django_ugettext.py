# context: django==4.2.16
# heals: django <4.0
from django.utils.translation import ugettext_lazy
print(callable(ugettext_lazy))
