"""Recordings (rosbag2: sqlite3 and mcap): read, replayed, labeled and scored without a ROS installation."""
