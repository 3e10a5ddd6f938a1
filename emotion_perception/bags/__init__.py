"""Recordings (rosbag2: sqlite3 and mcap): read, replayed, labelled and scored without a ROS installation."""
