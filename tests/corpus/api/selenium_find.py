# context: tweepy==4.14.0
# heals: tweepy <4.0
import tweepy
print(tweepy.TweepError.__name__)
