# context: PyPDF2==3.0.1
# heals: pypdf2 <3.0
import io
from PyPDF2 import PdfFileWriter
writer = PdfFileWriter()
writer.addBlankPage(width=10, height=10)
out = io.BytesIO()
writer.write(out)
print(out.getvalue()[:4])
