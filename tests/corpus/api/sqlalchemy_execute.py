# context: sqlalchemy==2.0.35
# heals: sqlalchemy <2.0
from sqlalchemy import create_engine
print(create_engine("sqlite://").execute("select 1").scalar())
