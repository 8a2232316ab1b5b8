# context: pydantic==2.9.2
# heals: pydantic[email]
from pydantic import BaseModel, EmailStr


class Person(BaseModel):
    mail: EmailStr


print(Person(mail="a@example.com").mail)
