# python: 3.9
# context: pyOpenSSL==19.1.0 cryptography==42.0.8
# heals: cryptography <42.0; cryptography <38
import OpenSSL
print(OpenSSL.crypto.TYPE_RSA)
