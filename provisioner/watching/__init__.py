"""What Prometheus and Grafana are given: the metrics' names, alert rules and a dashboard, of a catalogue. Pure."""
