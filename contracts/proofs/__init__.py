"""What escrow publishes so that others can check it: trees, checkpoints, proof files and their offline check."""
