"""Recordings: the message texts that readers of bags need without ROS are installed beside this file."""
