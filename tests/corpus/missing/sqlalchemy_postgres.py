# context: sqlalchemy==2.0.35
# heals: add psycopg2-binary
from sqlalchemy import create_engine
print(create_engine("postgresql://me@127.0.0.1:9/things").dialect.driver)
