"""The campaigns service: campaigns, their terms and reviews, and commitments (units and states). It never touches money."""
