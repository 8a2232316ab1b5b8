# context: pydub==0.25.1
from pydub import AudioSegment
open("song.mp3", "wb").close()
AudioSegment.from_mp3("song.mp3")
