# heals: add zope-interface
import zope.interface


class INamed(zope.interface.Interface):
    name = zope.interface.Attribute("its name")


print(INamed["name"].getDoc())
