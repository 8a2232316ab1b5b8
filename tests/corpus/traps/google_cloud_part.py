# context: google-cloud-core==2.4.1
from google.cloud import storag
