"""For whoever watches: metrics of a report, alert rules and a dashboard of a catalogue; asks nobody, writes nothing."""
