# context: pymongo==4.8.0
# heals: pymongo <4.0
from pymongo import MongoClient
from pymongo.errors import PyMongoError
client = MongoClient("127.0.0.1", 9, connect=False, serverSelectionTimeoutMS=10)
try:
    client.test.things.insert({"a": 1})
except PyMongoError as error:
    print(type(error).__name__)
