# context: sqlalchemy==2.0.35
# heals: add pymysql
from sqlalchemy import create_engine
print(create_engine("mysql+pymysql://me@127.0.0.1:9/things").dialect.driver)
