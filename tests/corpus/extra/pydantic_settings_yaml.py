# context: pydantic-settings==2.5.2
# heals: pydantic-settings[yaml]
from pydantic_settings import BaseSettings, YamlConfigSettingsSource
with open("settings.yaml", "w") as file:
    file.write("name: somebody\n")


class Settings(BaseSettings):
    name: str = "nobody"


print(YamlConfigSettingsSource(Settings, "settings.yaml")())
