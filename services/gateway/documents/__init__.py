"""Papers that people keep: records and statements as pages and as PDF, composed once, written in two forms."""
