# python: 3.9
# context: django==3.2.25
# heals: django <3.0
import django
if django.VERSION >= (3, 0):
    raise ImportError("for Django 2 only")
print(django.VERSION[0])
