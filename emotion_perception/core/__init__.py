"""The perception library: numpy and OpenCV, no ROS."""
