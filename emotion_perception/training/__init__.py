"""The offline training module: data sets, networks, training, evaluation and export. No ROS, torch needed."""
