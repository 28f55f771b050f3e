"""What a Pulumi program declares; ``from provisioner import Stream`` leads here."""
