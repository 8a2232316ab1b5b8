# context: celery==5.4.0
# heals: celery <5.0; Python <3.11
from celery.task import task
print(callable(task))
