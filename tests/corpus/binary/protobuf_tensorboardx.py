# python: 3.9
# context: tensorboardX==2.5 protobuf==4.25.3 numpy==1.24.4
# heals: protobuf <3.21
from tensorboardX import SummaryWriter
writer = SummaryWriter("runs", write_to_disk=False)
writer.add_scalar("loss", 0.5, 1)
print("written")
