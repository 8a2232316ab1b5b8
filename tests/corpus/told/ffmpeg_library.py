# context: ffmpeg-python==0.2.0
import ffmpeg
ffmpeg.input("in.mp4").output("out.mp3").run()
