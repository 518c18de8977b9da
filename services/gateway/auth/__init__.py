"""Who a request comes from, and how they proved it."""
