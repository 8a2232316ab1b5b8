# python: 3.10
# heals: Python ==3.13.*
try:
    raise ExceptionGroup("several", [ValueError(1)])
except* ValueError as group:
    print(len(group.exceptions))
