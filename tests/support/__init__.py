"""What tests share: servers, configurations, publishers, faults."""
