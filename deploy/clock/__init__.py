"""Moving the local platform's simulated clock, and knowing when the platform is quiet."""
