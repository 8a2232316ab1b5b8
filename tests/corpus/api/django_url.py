# context: django==4.2.16
# heals: django <4.0
from django.conf.urls import url
print(callable(url))
