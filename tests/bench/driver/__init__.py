"""What tools/bench is made of: peers, servers, measurements, tables."""
