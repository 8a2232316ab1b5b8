# context: sqlalchemy==1.4.54
# heals: sqlalchemy >=2.0
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


print(User.__table__.name)
