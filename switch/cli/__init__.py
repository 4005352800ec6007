"""What a person types: `ringside VERB`. Talks to a daemon through its socket only."""
