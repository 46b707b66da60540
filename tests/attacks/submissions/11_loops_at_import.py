# 11, wrong: an endless loop while it is imported
while True:
    pass
