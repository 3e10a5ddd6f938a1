"""Subscriptions and publishers, between processes and within one."""
