import pillows
