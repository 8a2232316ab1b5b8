# context: pydantic==1.10.18
# heals: pydantic[dotenv]
from pydantic import BaseSettings


class Settings(BaseSettings):
    name: str = "nobody"

    class Config:
        env_file = "settings.env"


with open("settings.env", "w") as file:
    file.write("NAME=somebody\n")
print(Settings().name)
