# python: 3.9
# context: djangorestframework==3.9.4 django==3.2.25 pytz==2024.1
# heals: django <3.1; django <3.0
from django.conf import settings
settings.configure()
import django
django.setup()
from rest_framework import serializers
print(serializers.CharField().__class__.__name__)
