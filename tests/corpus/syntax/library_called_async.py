# python: 3.7
# context: celery==4.1.0 kombu==4.1.0
# heals: Python ==3.6.*
from celery.concurrency import asynpool
print(asynpool.__name__)
