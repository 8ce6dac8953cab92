"""What a comparison will consist of and how long it will take, before it is started."""
