# heals: add idna; add attrs
# predicted: only
# Requirements: idna<3, attrs==21.4.0
import attr
import idna
print(idna.__version__.split(".")[0], attr.__version__)
