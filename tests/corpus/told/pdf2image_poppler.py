# context: pdf2image==1.17.0 pillow==10.4.0
from pdf2image import convert_from_path
open("a.pdf", "wb").close()
convert_from_path("a.pdf")
