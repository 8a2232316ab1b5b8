# context: paho-mqtt==1.6.1
# heals: paho-mqtt >=2.0
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="me")
print(type(client).__name__)
