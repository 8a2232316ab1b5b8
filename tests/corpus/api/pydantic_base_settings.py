# context: pydantic==1.10.18
# heals: pydantic >=2.0
from pydantic import BaseModel, field_validator
print(BaseModel.__name__, field_validator.__name__)
