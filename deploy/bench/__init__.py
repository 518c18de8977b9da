"""Measurements as ratios in one run: each figure stands beside a baseline of the same run."""
