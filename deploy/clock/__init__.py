"""Moving the local platform's simulated clock."""
